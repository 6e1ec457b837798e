// What journeys do before the part that they are about, by commands, as quickly as the product can.

import fs from "node:fs";

/** A passphrase of six words, as the app would make one. */
export const WORDS = "lantern maple orbit quiet saddle velvet";

const PIECE_BYTES = 1 << 20;

/** Waits until `look` gives something true. */
export async function until(look, what, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${ms / 1000} s: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** A vault with the person's own chart; the chart's id. */
export async function makeVault(device, { name = "Ratna Dewi", born = "1961-04-02", deviceName = "Phone" } = {}) {
  await device.call("vault_create", { passphrase: WORDS, name, born, device_name: deviceName });
  return (await device.call("chart_list"))[0].chart;
}

/** Connects to the server by a fresh code. */
export async function connect(device, server) {
  await device.call("server_connect", { url: server.url, code: await server.enrolCode() });
}

/** Adds an entry; its name in other commands. */
export async function add(device, chart, kind, fields) {
  return (await device.call("entry_add", { chart, kind, fields: Object.entries(fields) })).entry;
}

export const edit = (device, chart, entry, fields) => device.call("entry_edit", { chart, entry, set: Object.entries(fields) });

/** All rows of a chart. */
export async function rows(device, chart, filter = {}) {
  const all = [];
  for (;;) {
    const part = await device.call("timeline", { chart, groups: [], year: null, offset: all.length, limit: 200, ...filter });
    all.push(...part.rows);
    if (!part.more) return all;
  }
}

/** Sends a file in pieces and looks at it. */
export async function offer(device, file) {
  const bytes = fs.readFileSync(file);
  const { import: number } = await device.call("import_begin", { name: file.split("/").pop(), bytes: bytes.length });
  for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
    await device.call("import_chunk", { import: number, offset, base64: bytes.subarray(offset, offset + PIECE_BYTES).toString("base64") });
  }
  return device.call("import_look", { import: number });
}

/** Brings a file in, into a chart or (without one) a new chart; the last state of the import. */
export async function bring(device, file, chart) {
  const preview = await offer(device, file);
  await device.call("import_run", { import: preview.import, ...(chart ? { into: "chart", chart } : { into: "new-chart" }) });
  return until(async () => {
    const state = await device.call("import_status", { import: preview.import });
    if (state.phase === "failed") throw new Error("the import failed");
    return state.phase === "done" && state;
  }, "the import is kept", 60_000);
}

/** Pairs a new device with one that is connected: words from one, typed into the other, approved on the first. */
export async function pair(first, second, { deviceName = "Laptop" } = {}) {
  const shown = await first.call("pair_offer");
  const joining = second.call("pair_join", { code: shown.words.join(" "), server: shown.server, passphrase: WORDS, device_name: deviceName });
  await until(async () => (await first.call("pair_status")).phase === "asking", "the new device has answered");
  await first.call("pair_approve");
  await joining;
  await until(async () => (await second.call("pair_status").catch(() => ({}))).phase === "done", "the new device has everything", 30_000);
}

/** Exchanges with the server until both devices show the same. */
export async function settle(...devices) {
  for (let round = 0; round < 3; round += 1) {
    for (const device of devices) await device.call("sync_now");
  }
}

/** Lets the person of one account into sections of another's chart: words from one, opened on the other, approved on the first. */
export async function letIn(host, guest, { chart, sections, role = "writer", until: last = null, reason = null, name = null }) {
  const shown = await host.call("member_invite", { chart, sections, role, until: last, reason });
  const offered = await guest.call("invitation_open", { code: shown.words.join(" ") });
  await guest.call("invitation_answer", { accept: true, name });
  await until(async () => (await host.call("member_status")).phase === "asking", "the invited person has answered");
  await host.call("member_approve");
  await until(async () => {
    await settle(host, guest);
    return (await guest.call("invitation_status")).phase === "done";
  }, "the invited person was let in", 30_000);
  return offered;
}
