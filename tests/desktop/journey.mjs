// The part of ring 5 that writes: a vault, a note, a restart.

import { equal, expect } from "../e2e/report.mjs";

const NOTE = "Slept badly, took a walk";

const answer = ({ ok, refused }, what) => {
  expect(refused === undefined, `${what}: ${JSON.stringify(refused)}`);
  return ok;
};

export async function createVault(window, words) {
  const made = answer(await window.invoke("vault_create", { passphrase: words, name: "Ratna", born: null, device_name: "Laptop" }), "the vault is made");
  equal(made.phase, "open", "a new vault is open");
}

const ownChart = async (window) => {
  const charts = answer(await window.invoke("chart_list"), "the charts are listed");
  expect(charts.length > 0, "a new vault has the person's own chart");
  return charts[0].chart;
};

export async function addNote(window) {
  const chart = await ownChart(window);
  answer(await window.invoke("entry_add", { chart, kind: "note", fields: [["text", NOTE]] }), "the note is saved");
}

export async function unlock(window, words) {
  const status = answer(await window.invoke("vault_status"), "the status is told");
  equal(status.phase, "locked", "after a restart the vault is locked");
  const wrong = await window.invoke("vault_unlock", { passphrase: `${words} wrong` });
  equal(wrong.refused?.code, "wrong-passphrase", "another passphrase is refused with a code");
  const opened = answer(await window.invoke("vault_unlock", { passphrase: words }), "the vault opens");
  equal(opened.phase, "open", "the passphrase opens it");
}

export async function showsNote(window) {
  const chart = await ownChart(window);
  const timeline = answer(await window.invoke("timeline", { chart, groups: [], year: null, offset: 0, limit: 50 }), "the timeline is read");
  const entry = timeline.rows.find((row) => row.kind === "note")?.entry;
  expect(entry, `the note is in the timeline: ${timeline.total} rows`);
  const view = answer(await window.invoke("entry_get", { chart, entry }), "the note is read");
  const text = view.fields.find(([field]) => field === "text")?.[1];
  equal(text, NOTE, "the note is as it was written");
}
