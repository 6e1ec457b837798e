// The demo family on two devices, with a clash on a dose: the fullest state that the pages have to show.

import { WORDS, add, edit, pair, rows, settle, until } from "./arrange.mjs";

/** The unlocked demo with one entry of each kind found, and its pages. */
export async function family(actors, { clash = true } = {}) {
  const server = await actors.server();
  const { profile, passphrase } = await actors.demo(server);
  const device = await actors.device("demo", { profile, server: server.url });
  await device.call("vault_unlock", { passphrase });
  const charts = await device.call("chart_list");
  const fullest = charts.reduce((most, chart) => (chart.entries > most.entries ? chart : most));
  const chart = fullest.chart;
  const medicine = await add(device, chart, "medication-statement", { name: "Amlodipine", dose: "5", "dose-unit": "mg", frequency: "every morning", status: "active" });
  const note = await add(device, chart, "note", { text: "Slept badly, took a walk" });
  if (clash) {
    const second = await actors.device("second");
    await pair(device, second);
    await settle(device, second);
    await server.stop();
    await edit(device, chart, medicine, { dose: "10" });
    await edit(second, chart, medicine, { dose: "2.5" });
    Object.assign(server, await actors.server(server.folder, new URL(server.url).host));
    await until(async () => {
      await settle(device, second);
      return (await device.call("medicines", { chart })).clashes.length > 0;
    }, "the clash is there");
  }
  const all = await rows(device, chart);
  const trend = all.find((row) => row.trend)?.trend;
  const received = all.find((row) => !row.editable && row.kind === "lab-result") ?? all.find((row) => !row.editable);
  return { server, device, passphrase, chart, charts, medicine, note, trend, received: received?.entry, all, words: WORDS };
}

/** Every page by name and address; `chart` is chosen by the pages themselves. */
export function routes({ medicine, note, trend, received, clash = true }) {
  const encode = encodeURIComponent;
  return [
    ["home", "/"],
    ["record", "/record"],
    ["results", "/record/results"],
    trend && ["trend", `/record/results/${encode(trend)}`],
    ["medicines", "/record/medicines"],
    clash && medicine && ["settle", `/record/medicines/${encode(medicine)}/settle/dose`],
    received && ["entry-received", `/record/entry/${encode(received)}`],
    note && ["entry-own", `/record/entry/${encode(note)}`],
    note && ["edit", `/record/entry/${encode(note)}/edit`],
    ["add-vital-sign", "/record/add/vital-sign"],
    ["add-note", "/record/add/note"],
    ["add-allergy", "/record/add/allergy-intolerance"],
    ["add-medicine", "/record/add/medication-statement"],
    ["changes", "/record/changes"],
    ["members", "/record/members"],
    ["invite", "/record/members/invite"],
    ["invitation", "/invitation"],
    ["import", "/import"],
    ["visits", "/visits"],
    ["ask-visit", "/visits/ask"],
    ["messages", "/messages"],
    ["write", "/messages/write/new"],
    ["write-complaint", "/messages/write/complaint"],
    ["hospitals", "/hospitals"],
    ["connect-hospital", "/hospitals/connect"],
    ["desk", "/desk"],
    ["desk-codes", "/desk/codes"],
    ["settings", "/settings"],
    ["display", "/settings/display"],
    ["devices", "/settings/devices"],
    ["kit", "/settings/kit"],
    ["data", "/settings/data"],
    ["helpers", "/settings/helpers"],
    ["pair", "/settings/pair"],
  ].filter(Boolean);
}
