// Bringing files in: what hospitals give, twice and twice over, and what must be refused.

import fs from "node:fs";
import path from "node:path";

import { root } from "../actors.mjs";
import { bring, makeVault, offer, rows } from "../arrange.mjs";
import { equal, expect, skip } from "../report.mjs";

const DATA = path.join(root, "../shared/data");
const refusal = (call) => call.then(() => ({ code: "answered" }), (error) => error);

export default async function ({ actors, claim }) {
  const device = await actors.device("import");
  await makeVault(device);
  const folder = actors.folder("files");
  const write = (name, text) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    return file;
  };
  const small = {
    resourceType: "Bundle",
    type: "collection",
    identifier: { system: "urn:test", value: "small" },
    entry: [
      { fullUrl: "urn:uuid:1", resource: { resourceType: "Patient", id: "1", name: [{ text: "Sari Utami" }], birthDate: "1990-02-03", gender: "female" } },
      { fullUrl: "urn:uuid:2", resource: { resourceType: "Observation", id: "2", status: "final", code: { coding: [{ system: "http://loinc.org", code: "4548-4", display: "HbA1c" }] }, subject: { reference: "urn:uuid:1" }, effectiveDateTime: "2026-01-05", valueQuantity: { value: 7.8, unit: "%", system: "http://unitsofmeasure.org", code: "%" } } },
      { fullUrl: "urn:uuid:3", resource: { resourceType: "Basic", id: "3", code: { text: "a kind without a page" }, subject: { reference: "urn:uuid:1" } } },
    ],
  };

  let chart;
  await claim("every_resource_is_kept_and_counted_and_the_same_file_twice_changes_nothing", async () => {
    const file = write("small.json", JSON.stringify(small));
    const first = await bring(device, file);
    chart = first.chart;
    equal(first.total, 3, "each resource is counted");
    equal(first.added, 3, "each is new");
    const before = await rows(device, chart);
    const again = await bring(device, file, chart);
    equal([again.added, again.already], [0, 3], "the second time nothing is new");
    equal((await rows(device, chart)).map((row) => row.entry), before.map((row) => row.entry), "and nothing changed");
  });

  await claim("a_resource_comes_back_byte_for_byte", async () => {
    const row = (await rows(device, chart)).find((one) => one.resource_type === "Observation");
    const { text } = await device.call("entry_original", { chart, entry: row.entry });
    equal(text, JSON.stringify(small.entry[1].resource), "as it was in the file");
  });

  await claim("a_file_about_somebody_else_is_never_merged_silently", async () => {
    const preview = await offer(device, write("other.json", JSON.stringify({ ...small, identifier: { value: "other" }, entry: [{ ...small.entry[0], resource: { ...small.entry[0].resource, name: [{ text: "Budi Santoso" }], birthDate: "1950-01-01" } }, ...small.entry.slice(1)] })));
    equal(preview.fits, null, "no chart fits beyond doubt, so a person is asked");
    equal(preview.subject?.name, "Budi Santoso", "and told whom the file is about");
    await device.call("import_stop", { import: preview.import });
  });

  await claim("a_stopped_import_leaves_the_record_as_it_was", async () => {
    const charts = await device.call("chart_list");
    const preview = await offer(device, write("stop.json", JSON.stringify({ ...small, identifier: { value: "stop" } })));
    await device.call("import_stop", { import: preview.import });
    equal(await device.call("chart_list"), charts, "no chart and no entry came of it");
  });

  await claim("broken_wrong_and_huge_files_are_refused_with_the_place_and_change_nothing", async () => {
    const before = [await device.call("chart_list"), await rows(device, chart)];
    const text = JSON.stringify(small);
    const wrong = {
      "broken.json": text.replace('"Observation"', '"Observation'),
      "truncated.json": text.slice(0, 400),
      "empty.json": "",
      "no-resource.json": JSON.stringify({ hello: "world" }),
      "wrong-entry.json": JSON.stringify({ ...small, entry: [...small.entry, { fullUrl: "urn:uuid:4", resource: { id: "4" } }] }),
      "text.json": "Dear Sir or Madam",
    };
    const said = [];
    for (const [name, content] of Object.entries(wrong)) {
      const refused = await refusal(offer(device, write(name, content)));
      equal(refused.code, "bad-file", `${name} is refused: ${refused.message}`);
      said.push(`${name}: ${refused.body.message_id} ${JSON.stringify(refused.body.args ?? {})}`);
    }
    const huge = await refusal(device.call("import_begin", { name: "huge.json", bytes: 500_000_000 }));
    equal(huge.code, "bad-file", "500 MB are refused before a byte is read");
    equal([await device.call("chart_list"), await rows(device, chart)], before, "the record is as it was");
    return said.join("; ");
  });

  const files = fs.existsSync(DATA) ? fs.readdirSync(DATA).filter((name) => /^(synthea-r4|ips-).*\.json$/.test(name)) : [];
  if (files.length === 0) {
    skip("import::real_files_are_kept_whole_and_once", "../shared/data is not here");
    return;
  }
  await claim("real_files_are_kept_whole_and_once", async () => {
    const said = [];
    for (const name of files) {
      const file = path.join(DATA, name);
      const count = JSON.parse(fs.readFileSync(file, "utf8")).entry.length;
      const since = performance.now();
      const first = await bring(device, file);
      const took = Math.round(performance.now() - since);
      equal([first.total, first.added + first.already], [count, count], `${name}: every resource is kept`);
      const again = await bring(device, file, first.chart);
      equal([again.added, again.already], [0, count], `${name}: the second time nothing is new`);
      const listed = await rows(device, first.chart);
      expect(listed.length > 0 && listed.every((row) => row.title.length > 0), `${name}: every row has a title`);
      said.push(`${name} ${count} in ${took} ms`);
    }
    return said.join(", ");
  });
}
