// What is in the memory of the window's processes after a lock: no passphrase, no key, nothing of the record.
//
// Row 28 of docs/proof.md. The record is used as a person does it, by the page; the vault is locked; then every page that the
// window's processes have in memory (the app's, and those of WebKit) is searched by `examples/memory_eye`. The controls: as long as
// the vault is open each of these is found, and before it was opened none is, so that the harness does not plant them itself.
// Nothing here may tell a script of the page what is looked for, nor read it from the page: it would be found because of that.
// The lock ends the page's process, and with it what WebDriver holds on to: from there on only the keyboard is left.
//
// By itself (`node tests/desktop/memory.mjs`) it looks at as many ways of locking as MECUM_PROOF_CASES says.

import { execFile } from "node:child_process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { Actors, binary } from "../e2e/actors.mjs";
import { claim, close, equal, expect } from "../e2e/report.mjs";
import { Driver } from "./webdriver.mjs";

const WORDS = "kelapa velvet jembatan orbit sirsak maple";
const DRAFT = "a canary draft that nobody saved";
const TEXTS = ["canary-kelapa-muda note", "Canary Wulandari-Sukma", "canaryformin 850", "two canary drops at night", DRAFT];
/** Not kept while a vault is open; of a text, one form is enough. */
const NOT_KEPT = [/^the vault key$/, /, wide$/];
const LONG_NOTES = 12;
const LONG_LETTERS = 8000;
/** What was sent to the last page is given back when the next exchange takes its place, and some a moment later. */
const SETTLES_MS_MAX = 30_000;
const SECOND = 1000;

/** How a vault is locked, how long that may take, and after how many minutes without use it locks itself. */
export const WAYS = [
  { name: "by_the_button", lock: byTheButton, minutes: 10, ms: 20 * SECOND },
  { name: "by_itself_after_a_minute", lock: async () => {}, minutes: 1, ms: 90 * SECOND },
];

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const answer = ({ ok, refused }, what) => {
  expect(refused === undefined, `${what}: ${JSON.stringify(refused)}`);
  return ok;
};

/** Letters that do not repeat, the same for each seed. */
function* longNotes(seed) {
  let state = BigInt(seed) * 2n + 1n;
  const letter = () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return String.fromCharCode(97 + Number((state >> 33n) % 26n));
  };
  for (let n = 0; n < LONG_NOTES; n += 1) yield Array.from({ length: LONG_LETTERS }, letter).join("");
}

/** The process that looks, told by lines of JSON. */
class Eye {
  static async open(actors) {
    const { child } = await actors.start(binary("examples/memory_eye"), [], { firstLine: false, input: true });
    const eye = new Eye();
    Object.assign(eye, { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() });
    return eye;
  }

  async ask(question) {
    this.child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await this.lines.next();
    expect(!done, `the eye ended: ${this.child.said()}`);
    return JSON.parse(value);
  }
}

const LOCKED = "return document.readyState === 'complete' && !!document.querySelector('input[type=password]')";
const OPEN = "return !document.querySelector('input[type=password]') && !!document.querySelector('a[href=\"/record\"]')";

/** A record with something of each kind in it, made by commands: it is written before anything is looked for. */
async function fill(window, long) {
  answer(await window.invoke("vault_create", { passphrase: WORDS, name: TEXTS[1], born: "1990-01-02", device_name: "Laptop" }), "the vault is made");
  const [{ chart }] = answer(await window.invoke("chart_list"), "the charts are listed");
  const add = async (kind, fields) => answer(await window.invoke("entry_add", { chart, kind, fields }), kind);
  for (const text of long) await add("note", [["text", text]]);
  await add("medication-statement", [["name", TEXTS[2]], ["dose", "1"], ["reason", TEXTS[3]]]);
  await add("note", [["text", TEXTS[0]]]);
}

/** Clicks what may be drawn anew in the moment between finding and clicking it. The click that locks may take its own answer away. */
async function press(window, css, locks = false) {
  for (const end = Date.now() + 20 * SECOND; ; ) {
    try {
      return await window.click(css);
    } catch (error) {
      if (locks && (await window.run(LOCKED).catch((lost) => lost.message.startsWith("invalid session id")))) return undefined;
      if (Date.now() > end) throw error;
      await sleep(100);
    }
  }
}

/** Types into a field. A page that has just come takes the focus to its heading, and letters are lost by that: those are typed again. */
async function write(window, css, text) {
  for (let tries = 0; tries < 20; tries += 1) {
    // Where the caret stands says how much is there, without reading it.
    const there = await window.run("return document.querySelector(arguments[0]).selectionEnd", css);
    if (there === text.length) return;
    await window.type(css, text.slice(there));
    await sleep(200);
  }
  throw new Error(`what was typed into ${css} does not stay there`);
}

/** What a person does with it: types the passphrase, reads the record and one entry of it, begins to write another. */
async function use(window, { minutes }) {
  await write(window, "input[type=password]", WORDS);
  await window.type("input[type=password]", "\uE007");
  await window.until(OPEN, "the vault opens");
  const settings = answer(await window.invoke("settings_get"), "the settings");
  answer(await window.invoke("settings_set", { ...settings, auto_lock_min: minutes }), "when it locks by itself");
  await press(window, 'a[href="/record"]');
  await window.until("return document.querySelectorAll('a[href^=\"/record/entry/\"]').length > 5", "the entries are listed");
  await press(window, 'a[href^="/record/entry/"]');
  await window.until("return !!document.querySelector('a[href$=\"/edit\"]')", "one is shown");
  await press(window, 'a[href="/record"]');
  for (const page of ["/record/add/new", "/record/add/note"]) {
    await press(window, `a[href="${page}"]`);
  }
  await window.until("return !!document.querySelector('main textarea')", "a note can be written");
  await write(window, "main textarea", DRAFT);
}

async function byTheButton(window) {
  await press(window, 'a[href="/settings"]');
  await window.until("return !!document.querySelector('#auto-lock')", "the settings");
  // It stands below what the window shows at first.
  await window.run("document.querySelector('section:has(#auto-lock) button').scrollIntoView({ block: 'center' })");
  await press(window, "section:has(#auto-lock) button", true);
}

/** The processes of pages, by number. */
const pages = ({ processes }) => processes.filter(({ name }) => name.startsWith("WebKitWebProc")).map(({ process }) => process);

/** Waits until every process that held a page is gone and another one has taken its place. */
async function untilReplaced(eye, driver, before, ms) {
  for (const end = Date.now() + ms; ; ) {
    const now = pages(await eye.ask({ list: driver.child.pid }));
    if (now.length > 0 && now.every((process) => !before.includes(process))) return;
    expect(Date.now() < end, `after ${ms / SECOND} s the process of the page is still there: ${before}, ${now}`);
    await sleep(250);
  }
}

/** What is there of what was looked for, once nothing ends any more; it is looked at until nothing is, or time is over. */
async function left(eye, driver) {
  const end = Date.now() + SETTLES_MS_MAX;
  for (let looks = 1; ; looks += 1) {
    const found = await eye.ask({ look: driver.child.pid });
    if (process.env.MECUM_PROOF_SAY) console.log(`# look ${looks}: ${found.count} places: ${found.places.join("; ")}`);
    if (found.count === 0 || Date.now() > end) return { ...found, looks };
    await sleep(500);
  }
}

/** The control: while it is open, each key is found, and each text, wide or not. What is typed is not everywhere at once. */
async function everything(eye, driver, needles) {
  const names = new Set();
  for (const end = Date.now() + SETTLES_MS_MAX; ; ) {
    const found = await eye.ask({ look: driver.child.pid });
    for (const name of found.names) names.add(name.replace(/, wide$/, ""));
    const unseen = needles.filter((name) => !NOT_KEPT.some((kind) => kind.test(name)) && !names.has(name));
    if (unseen.length === 0) {
      console.log("proof-control: while it is open, each key and word is found");
      return found;
    }
    expect(Date.now() < end, `control: while it is open, each key and word is found, and not: ${unseen}`);
  }
}

/** Types the passphrase as on a keyboard until the vault is open again: the keys that only an open one has are there. */
async function opensAgain(eye, driver) {
  const press = (...words) => promisify(execFile)("xdotool", words);
  for (const end = Date.now() + 40 * SECOND; ; ) {
    await sleep(1.5 * SECOND);
    const { stdout } = await press("search", "--onlyvisible", "--name", "^Mecum$");
    await press("windowfocus", stdout.trim().split("\n").at(-1));
    await press("key", "ctrl+a");
    await press("type", "--delay", "15", WORDS);
    await press("key", "Return");
    await sleep(1.5 * SECOND);
    const { names } = await eye.ask({ look: driver.child.pid });
    if (names.includes("the key of document 1")) return;
    expect(Date.now() < end, `the page after the lock does not open the vault: ${names}`);
  }
}

const shown = ({ processes }) => processes.map(({ name, process, mebibytes }) => `${name} ${process} (${mebibytes} MiB)`).join(", ");

/** One way of locking, in a window of its own. */
async function oneWay(way, { eye, driver, start, needles, figures }) {
  const window = await start();
  try {
    // Taken back at the end: what does not come to it has failed.
    figures.failures += 1;
    await window.until(LOCKED, "it is locked at first");
    const before = await left(eye, driver);
    equal(before.places, [], "nothing is there before it is opened");
    await use(window, way);
    const open = await everything(eye, driver, needles);
    await way.lock(window);
    await untilReplaced(eye, driver, pages(open), way.ms);
    const after = await left(eye, driver);
    figures.cases += needles.length;
    figures.failures += after.count;
    expect(after.processes.length >= 3 && after.bytes > 1 << 24, `all of its processes were looked at: ${shown(after)}`);
    equal([after.count, after.places], [0, []], "nothing is left");
    await opensAgain(eye, driver);
    figures.failures -= 1;
    return `open: ${open.count} places in ${shown(open)}; locked: none in ${shown(after)}, at look ${after.looks}`;
  } finally {
    await window.close().catch(() => {});
    await ended(eye, driver);
  }
}

/** Ends the app: once it has lost the page that it drove, WebDriver leaves it running. */
async function ended(eye, driver) {
  for (const signal of ["SIGTERM", "SIGTERM", "SIGKILL"]) {
    for (let tries = 0; tries < 20; tries += 1) {
      const { processes } = await eye.ask({ list: driver.child.pid });
      if (processes.length === 0) return;
      if (tries === 0) for (const { process: number, name } of processes) if (name === "mecum" || signal === "SIGKILL") kill(number, signal);
      await sleep(250);
    }
  }
}

function kill(number, signal) {
  try {
    process.kill(number, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** The whole of it, with the first `count` ways of locking; each is one claim. */
export async function forgetting(actors, count, seed, report = claim) {
  const [profile, home] = [actors.folder("forgets"), actors.folder("forgets-home")];
  const env = { HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home };
  const figures = { cases: 0, failures: 0 };
  let driver = await Driver.start(actors, env);
  const start = async () => {
    const window = await driver.open(binary("mecum"), ["--profile", profile]);
    await window.until("return document.readyState === 'complete' && !!document.querySelector('h1')", "the first page");
    return window;
  };
  const long = [...longNotes(seed)];
  const window = await start();
  await fill(window, long).finally(() => window.close());
  const eye = await Eye.open(actors);
  const { needles } = await eye.ask({ profile, passphrase: WORDS, texts: TEXTS, long });
  for (const way of WAYS.slice(0, count)) {
    await report(`nothing_is_left_in_the_windows_processes_when_it_is_locked_${way.name}`, () => oneWay(way, { eye, driver, start, needles, figures }));
    // A driver that lost a page does not open another.
    await actors.stop(driver.child);
    driver = await Driver.start(actors, env);
  }
  return figures;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const since = performance.now();
  const number = (name, otherwise) => Number(process.env[name] ?? otherwise);
  const seed = number("MECUM_PROOF_SEED", 20_261_123);
  console.log(`# seed ${seed}`);
  const actors = new Actors();
  try {
    const { cases, failures } = await forgetting(actors, Math.min(number("MECUM_PROOF_CASES", 1), WAYS.length), seed);
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    console.log(`proof: ${JSON.stringify({ test: 28, what: "secrets in the window's processes after a lock", cases, failures, seconds: Number(seconds), seed })}`);
  } catch (error) {
    await claim("was_reached", () => Promise.reject(error));
  } finally {
    await actors.end();
  }
  close();
}
