// What a run says: `ok NAME`, `not ok NAME: WHY`, `skip NAME: WHY`, notes after `# `, and `1..N` at the end.

import fs from "node:fs";
import path from "node:path";

let count = 0;
let failed = 0;
const shots = process.env.MECUM_TEST_SHOTS;

const oneLine = (text) => String(text).replaceAll("\n", " ⏎ ").slice(0, 1500);

/** One claim; `check` holds if it does not throw. The page, if given, is photographed when it does. */
export async function claim(name, check, page) {
  const since = performance.now();
  count += 1;
  try {
    const note = await check();
    console.log(`ok ${name}`);
    if (note) console.log(`# ${name}: ${note}`);
    return true;
  } catch (error) {
    failed += 1;
    console.log(`not ok ${name}: ${oneLine(error?.message ?? error)} (after ${Math.round(performance.now() - since)} ms)`);
    if (error?.stack) console.error(error.stack);
    if (page && shots) {
      fs.mkdirSync(shots, { recursive: true });
      await page.screenshot({ path: path.join(shots, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.png`) }).catch(() => {});
    }
    return false;
  }
}

/** Says that a claim could not be looked at. */
export function skip(name, why) {
  count += 1;
  console.log(`skip ${name}: ${why}`);
}

export function expect(truth, why) {
  if (!truth) throw new Error(why);
}

export function equal(actual, expected, why) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${why}: expected ${b}, found ${a}`);
}

/** The closing line; the process ends with 1 if anything failed. */
export function close() {
  console.log(`1..${count}`);
  process.exitCode = failed === 0 && count > 0 ? 0 : 1;
}
