// Two devices of one account: each its own process with its own vault, joined by a real server over TCP.

import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

import { add, connect, edit, makeVault, pair, rows, settle, until } from "../arrange.mjs";
import { equal, expect } from "../report.mjs";

export default async function ({ actors, claim }) {
  const server = await actors.server();
  const phone = await actors.device("phone");
  const laptop = await actors.device("laptop");
  const chart = await makeVault(phone, { deviceName: "Phone" });
  await connect(phone, server);
  const medicine = await add(phone, chart, "medication-statement", {
    name: "Amlodipine", dose: "5", "dose-unit": "mg", frequency: "once a day", status: "active",
  });

  await claim("pairing_by_words_brings_the_whole_record", async () => {
    await pair(phone, laptop, { deviceName: "Laptop" });
    const there = await until(async () => {
      const found = await rows(laptop, chart).catch(() => []);
      return found.length > 0 && found;
    }, "the record is on the laptop");
    equal(there.map((row) => row.title), (await rows(phone, chart)).map((row) => row.title), "both devices list the same");
    equal((await laptop.call("device_list")).map((device) => device.name).sort(), ["Laptop", "Phone"], "the account has both");
  });

  await claim("edits_made_offline_on_both_devices_meet", async () => {
    await server.stop();
    await add(phone, chart, "note", { text: "Walked in the morning" });
    await add(laptop, chart, "vital-sign", { code: "85354-9", value: "138", value2: "82", unit: "mm[Hg]", effective: "2026-09-08" });
    const waiting = await phone.call("whereabouts");
    equal(waiting.counts.device, 1, "the one thing that was written offline is on this device only, and says so");
    const listed = (state) => waiting.items.filter((item) => item.state === state).reduce((sum, item) => sum + item.things, 0);
    equal([listed("device"), listed("sent"), listed("received")], [waiting.counts.device, waiting.counts.sent, waiting.counts.received], "the sheet lists as many as the line counts");
    const again = await actors.server(server.folder, new URL(server.url).host);
    Object.assign(server, again);
    await settle(phone, laptop);
    const titles = async (device) => (await rows(device, chart)).map((row) => `${row.kind} ${row.title} ${row.value ?? ""}`).sort();
    const onPhone = await until(async () => {
      const [a, b] = [await titles(phone), await titles(laptop)];
      return a.length === 3 && JSON.stringify(a) === JSON.stringify(b) && a;
    }, "both devices show all three entries");
    return onPhone.join("; ");
  });

  await claim("a_clash_on_a_dose_shows_both_values_with_who_where_and_when", async () => {
    await server.stop();
    await edit(phone, chart, medicine, { dose: "10" });
    await edit(laptop, chart, medicine, { dose: "2.5" });
    Object.assign(server, await actors.server(server.folder, new URL(server.url).host));
    const clash = await until(async () => {
      await settle(phone, laptop);
      const both = [await phone.call("medicines", { chart }), await laptop.call("medicines", { chart })];
      return both.every((view) => view.clashes.length === 1) && both[0].clashes[0];
    }, "both devices show the clash");
    equal(clash.field, "dose", "the clash is on the dose");
    equal(clash.values.map((value) => value.value).sort(), ["10 mg", "2.5 mg"], "both values are there with their unit");
    for (const value of clash.values) {
      expect(value.author && value.device && value.at_ms > 0, `who, on which device, when: ${JSON.stringify(value)}`);
    }
    equal(clash.agreed?.value, "5 mg", "and what was agreed before");
    const view = await phone.call("medicines", { chart });
    expect(view.current.every((one) => one.row.entry !== medicine || (one.on_hold && one.dose === null)), "no dose is shown as the dose until a person settles it");
  });

  await claim("a_person_settles_the_clash_and_both_devices_agree", async () => {
    const { clashes } = await phone.call("medicines", { chart });
    const right = clashes[0].values.find((value) => value.value === "10 mg");
    await phone.call("clash_settle", { chart, entry: medicine, field: "dose", choice: right.choice });
    await until(async () => {
      await settle(phone, laptop);
      const both = [await phone.call("medicines", { chart }), await laptop.call("medicines", { chart })];
      return both.every((view) => view.clashes.length === 0 && view.current.some((one) => one.row.entry === medicine && one.dose === "10 mg"));
    }, "both devices show the settled dose");
  });

  await claim("a_clash_on_another_field_keeps_the_loser_in_history", async () => {
    const note = await add(phone, chart, "note", { text: "Ask about the cough" });
    await settle(phone, laptop);
    await server.stop();
    await edit(phone, chart, note, { text: "Ask about the cough at night" });
    await edit(laptop, chart, note, { text: "Ask about the dry cough" });
    Object.assign(server, await actors.server(server.folder, new URL(server.url).host));
    await until(async () => {
      await settle(phone, laptop);
      const both = [await phone.call("entry_get", { chart, entry: note }), await laptop.call("entry_get", { chart, entry: note })];
      const texts = both.map((view) => view.fields.find(([field]) => field === "text")?.[1]);
      const lost = both.map((view) => view.history.filter((one) => one.lost).length);
      return texts[0] === texts[1] && lost.every((count) => count === 1) && both.every((view) => view.clashes.length === 0);
    }, "one text is shown on both, the other is kept in history");
  });

  await claim("receipts_say_received_once_the_other_device_has_it", async () => {
    await until(async () => {
      await settle(phone, laptop);
      const all = await rows(phone, chart);
      return all.length > 0 && all.every((row) => row.receipt === "received");
    }, "every item on the phone has been signed for by the laptop");
  });

  await claim("the_server_and_the_vaults_hold_no_word_of_it", async () => {
    const search = (folder, word) => new Promise((done) => execFile("grep", ["-rlaF", word, folder], (_, stdout) => done(stdout.trim())));
    // The search itself must be able to find: here a file that does hold the word.
    const control = actors.folder("control");
    fs.writeFileSync(path.join(control, "plain"), "\0\x01Amlodipine\xff");
    expect((await search(control, "Amlodipine")) !== "", "the search finds a word where there is one");
    for (const word of ["Amlodipine", "Ratna Dewi", "Ask about the", "Walked in the morning"]) {
      for (const folder of [server.folder, phone.profile, laptop.profile]) {
        equal(await search(folder, word), "", `${word} is in no file of ${folder.split("/").pop().split("-")[1]}`);
      }
    }
    const logs = actors.serverLogs();
    expect(logs.length > 0, "the servers logged something");
    expect(!/Amlodipine|Ratna|cough/.test(logs), "nor in any server's log");
  });
}
