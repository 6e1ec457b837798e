// One vault, one process: making it, opening it, locking it, and what a wrong passphrase does.

import { WORDS, add, makeVault, rows, until } from "../arrange.mjs";
import { equal, expect } from "../report.mjs";

const refusal = (call) => call.then(() => ({ code: "answered" }), (error) => error);

export default async function ({ actors, claim }) {
  const device = await actors.device("vault");

  await claim("six_words_made_on_the_device_meet_the_policy_and_a_short_one_does_not", async () => {
    const { words } = await device.call("passphrase_suggest");
    equal(words.length, 6, "six words");
    expect((await device.call("passphrase_check", { passphrase: words.join(" ") })).ok, "the app's own words are good enough");
    equal((await device.call("passphrase_check", { passphrase: "rahasia123" })).ok, false, "ten characters are not");
    const weak = await refusal(device.call("vault_create", { passphrase: "rahasia123", name: "Ratna", born: null, device_name: "Phone" }));
    equal(weak.code, "weak-passphrase", "and no vault is made with them");
    equal((await device.call("vault_status")).phase, "missing", "there is still no vault");
  });

  const chart = await makeVault(device);
  await add(device, chart, "note", { text: "Before the lock" });

  await claim("a_locked_vault_answers_nothing_but_its_status", async () => {
    equal((await device.call("vault_lock")).phase, "locked", "it locks");
    for (const command of ["home", "chart_list", "device_list", "whereabouts"]) {
      equal((await refusal(device.call(command))).code, "locked", `${command} tells nothing`);
    }
  });

  await claim("a_wrong_passphrase_is_a_clear_error_slows_down_and_loses_nothing", async () => {
    let waits = 0;
    for (let tries = 0; tries < 6; tries += 1) {
      const wrong = await refusal(device.call("vault_unlock", { passphrase: `${WORDS} wrong` }));
      expect(["wrong-passphrase", "waiting"].includes(wrong.code), `refused with a code: ${wrong.message}`);
      if (wrong.code === "waiting") waits += 1;
    }
    const status = await device.call("vault_status");
    expect(status.failed > 0, "the wrong tries are counted");
    expect(waits > 0 || status.wait_s > 0, "it slows down");
    await until(async () => (await refusal(device.call("vault_unlock", { passphrase: WORDS }))).code === "answered", "the right one opens it after the wait", 70_000);
    equal((await rows(device, chart)).map((row) => row.kind), ["note"], "nothing was lost");
    return `slowed down at ${status.failed} wrong tries, then asked to wait ${status.wait_s} s`;
  });

  await claim("a_second_process_is_told_that_the_vault_is_in_use", async () => {
    const second = await actors.device("second", { profile: device.profile });
    const phase = (await second.call("vault_status")).phase;
    const told = await refusal(second.call("vault_unlock", { passphrase: WORDS }));
    expect(phase === "in-use" || told.code === "in-use", `told so: ${phase}, ${told.code}`);
    await second.stop();
    equal((await rows(device, chart)).length, 1, "the first goes on");
  });

  await claim("a_killed_process_loses_nothing_that_was_saved", async () => {
    await add(device, chart, "note", { text: "Just before the power went" });
    device.child.kill("SIGKILL");
    await device.child.ended;
    const again = await actors.device("again", { profile: device.profile });
    await again.call("vault_unlock", { passphrase: WORDS });
    const notes = (await rows(again, chart)).filter((row) => row.kind === "note");
    equal(notes.length, 2, "both notes are there");
  });
}
