// Ring 5: what only the real window can prove. Everything else is in ring 4, where it is quicker.

import fs from "node:fs";
import path from "node:path";

import { Actors, binary } from "../e2e/actors.mjs";
import { claim as report, close, equal, expect } from "../e2e/report.mjs";
import { Driver } from "./webdriver.mjs";

const WORDS = "lantern maple orbit quiet saddle velvet";
const SEED = 20_261_123;
const actors = new Actors();
const profile = actors.folder("window");
const home = actors.folder("window-home");
let window;

const claim = async (name, check) => {
  const ok = await report(name, check);
  if (!ok && window && process.env.MECUM_TEST_SHOTS) {
    fs.mkdirSync(process.env.MECUM_TEST_SHOTS, { recursive: true });
    const picture = await window.picture().catch(() => "");
    fs.writeFileSync(path.join(process.env.MECUM_TEST_SHOTS, `window-${name}.png`), picture, "base64");
  }
};

try {
  // The app's caches go into a folder of this run: nothing of the person who runs the tests is touched.
  const driver = await Driver.start(actors, { HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home });
  const start = async () => {
    window = await driver.open(binary("mecum"), ["--profile", profile]);
    await window.until("return document.readyState === 'complete' && !!document.querySelector('h1')", "the first page");
  };
  await start();

  await claim("the_window_opens_on_the_first_page", async () => {
    equal(await window.run("return document.title"), "Mecum", "the window has its page");
    expect(await window.run("return location.protocol === 'tauri:'"), "the page comes out of the app, not from a network address");
  });

  await claim("vault_status_answers_through_ipc", async () => {
    const { ok, refused } = await window.invoke("vault_status");
    expect(ok, `answered: ${JSON.stringify(refused)}`);
    equal(ok.phase, "missing", "a new profile has no vault");
  });

  await claim("an_unlisted_command_is_refused", async () => {
    for (const command of ["vault_export_keys", "plugin:fs|read_text_file", "plugin:event|listen"]) {
      const { ok, refused } = await window.invoke(command);
      expect(ok === undefined && /not allowed|not found/.test(String(refused)), `${command}: ${JSON.stringify(ok ?? refused)}`);
    }
  });

  await claim("an_inline_script_does_not_run", async () => {
    const ran = await window.run(
      "const script = document.createElement('script'); script.textContent = 'window.ranInline = true'; document.body.append(script); return window.ranInline === true",
    );
    equal(ran, false, "the policy blocks it");
  });

  await claim("a_record_written_survives_a_restart", async () => {
    const { createVault, addNote, unlock, showsNote } = await import("./journey.mjs");
    await createVault(window, WORDS);
    await addNote(window);
    await window.close();
    await start();
    await unlock(window, WORDS);
    await showsNote(window);
  });

  await window.close();
  window = undefined;
  const { forgetting, WAYS } = await import("./memory.mjs");
  await forgetting(actors, WAYS.length, SEED);
} catch (error) {
  await report("was_reached", () => Promise.reject(error));
} finally {
  await window?.close().catch(() => {});
  await actors.end();
}
close();
