// Writing in the record through the screens: add, see, edit, delete, undo; bring a file; read a trend.

import fs from "node:fs";
import path from "node:path";

import { WORDS, makeVault, rows, until } from "../arrange.mjs";
import { LAPTOP, axe, fits, open } from "../browser.mjs";
import { settled, visit } from "../pages.mjs";
import { equal, expect } from "../report.mjs";
import { t } from "../words.mjs";

const NAME = "Ratna Dewi";

export default async function ({ actors, browser, claim }) {
  const device = await actors.device("record");
  const chart = await makeVault(device, { name: NAME });
  const page = await open(browser, device.page, { viewport: LAPTOP });
  await settled(page);
  const button = (id, args) => page.getByRole("button", { name: t(id, args), exact: true });
  const saved = () => page.getByText(t("add-saved", { name: NAME })).first().waitFor();
  const main = () => page.locator("main").innerText();

  await claim("a_measurement_is_added_and_stands_in_the_timeline", async () => {
    await visit(page, device, "/record/add/vital-sign");
    await page.getByLabel(t("form-upper")).fill("1380");
    await button("add-save", { name: NAME }).click();
    await page.getByText(t("form-errors-title")).waitFor();
    await axe(page);
    await page.getByLabel(t("form-upper")).fill("138");
    await page.getByLabel(t("form-lower")).fill("82");
    await button("add-save", { name: NAME }).click();
    await saved();
    await visit(page, device, "/record");
    expect((await main()).includes("138/82"), "the value is in the list");
  }, page);

  await claim("a_note_an_allergy_and_a_medicine_are_added", async () => {
    await visit(page, device, "/record/add/note");
    await page.getByLabel(t("form-text")).fill("Slept badly, took a walk");
    await button("add-save", { name: NAME }).click();
    await saved();
    await visit(page, device, "/record/add/allergy-intolerance");
    await page.getByLabel(t("form-substance")).fill("Penicillin");
    await page.getByLabel(t("form-reaction")).fill("Rash");
    await button("add-save", { name: NAME }).click();
    await saved();
    await visit(page, device, "/record/add/medication-statement");
    await page.getByLabel(t("field-name")).or(page.getByLabel(t("form-medicine"))).first().fill("Amlodipine");
    await page.getByLabel(t("form-dose")).first().fill("5");
    await page.getByLabel(t("form-frequency")).fill("every morning");
    await button("add-save", { name: NAME }).click();
    await saved();
    await visit(page, device, "/record/medicines");
    const said = await main();
    expect(/Amlodipine/.test(said) && /5\s*mg/.test(said), `the medicine is listed with its dose: ${said.slice(0, 200)}`);
    expect(/Penicillin/.test(said), "the allergy stands above the medicines");
  }, page);

  await claim("an_edit_keeps_the_old_text_in_history", async () => {
    const note = (await rows(device, chart)).find((row) => row.kind === "note").entry;
    await visit(page, device, `/record/entry/${note}/edit`);
    await page.getByLabel(t("form-text")).fill("Slept well, took a long walk");
    await button("edit-save").click();
    await page.getByText(t("edit-saved", { name: NAME })).first().waitFor();
    await visit(page, device, `/record/entry/${note}`);
    const said = await main();
    expect(said.includes("Slept well, took a long walk"), "the new text is shown");
    const all = await page.locator("main").textContent();
    expect(all.includes("Slept badly, took a walk"), `the old text is in the history: ${all.slice(0, 600)}`);
  }, page);

  await claim("a_deletion_can_be_undone", async () => {
    const allergy = (await rows(device, chart)).find((row) => row.kind === "allergy-intolerance").entry;
    await visit(page, device, `/record/entry/${allergy}`);
    await button("entry-delete").click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await axe(page);
    await dialog.getByRole("button", { name: t("entry-delete"), exact: true }).click();
    await page.getByRole("button", { name: t("app-undo") }).or(page.getByRole("button", { name: t("entry-undo") })).first().waitFor();
    equal((await rows(device, chart)).filter((row) => row.entry === allergy).length, 0, "it has left the list");
    await page.getByRole("button", { name: t("app-undo") }).or(page.getByRole("button", { name: t("entry-undo") })).first().click();
    await until(async () => (await rows(device, chart)).filter((row) => row.entry === allergy).length === 1, "it is back");
  }, page);

  const bundle = {
    resourceType: "Bundle",
    type: "collection",
    identifier: { system: "urn:test", value: "trend" },
    entry: [
      { fullUrl: "urn:uuid:g", resource: { resourceType: "Goal", id: "g", lifecycleStatus: "active", description: { text: "HbA1c below 7.5 %" }, subject: { reference: "urn:uuid:p" }, target: [{ measure: { coding: [{ system: "http://loinc.org", code: "4548-4" }] }, detailQuantity: { comparator: "<", value: 7.5, unit: "%" } }] } },
      { fullUrl: "urn:uuid:p", resource: { resourceType: "Patient", id: "p", name: [{ text: NAME }], birthDate: "1961-04-02" } },
      ...[6.4, 6.9, 7.8].map((value, at) => ({
        fullUrl: `urn:uuid:${at}`,
        resource: { resourceType: "Observation", id: `o${at}`, status: "final", category: [{ coding: [{ code: "laboratory" }] }], code: { coding: [{ system: "http://loinc.org", code: "4548-4", display: "HbA1c" }], text: "HbA1c" }, subject: { reference: "urn:uuid:p" }, performer: [{ reference: "Organization/rs", display: "RS Tirta Asih" }], effectiveDateTime: `202${at + 3}-03-0${at + 1}`, valueQuantity: { value, unit: "%", system: "http://unitsofmeasure.org", code: "%" }, referenceRange: [{ low: { value: 4, unit: "%" }, high: { value: 5.6, unit: "%" } }] },
      })),
    ],
  };

  await claim("a_file_is_brought_in_through_the_screen_into_the_chart_that_it_fits", async () => {
    const file = path.join(actors.folder("files"), "results.json");
    fs.writeFileSync(file, JSON.stringify(bundle));
    await visit(page, device, "/import");
    await page.locator("input[type=file]").setInputFiles(file);
    await button("import-keep", { name: NAME }).waitFor();
    await axe(page);
    await button("import-keep", { name: NAME }).click();
    await page.getByRole("link", { name: t("import-done-open") }).or(button("import-done-open")).first().waitFor();
    equal((await rows(device, chart)).filter((row) => row.kind === "lab-result").length, 3, "the results are in the record");
  }, page);

  await claim("imported_items_say_where_they_have_got_to_in_every_list", async () => {
    for (const route of ["/record", "/record/results", "/"]) {
      await visit(page, device, route);
      const item = page.locator(".timeline-row, .series-row, .latest-row").filter({ hasText: "HbA1c" }).first();
      expect((await item.innerText()).includes(t("receipt-device")), `${route} says that it is on this device only: ${await item.innerText()}`);
    }
  }, page);

  await claim("the_timeline_is_filtered_by_author_and_place", async () => {
    await visit(page, device, "/record");
    await page.getByLabel(t("record-by-author"), { exact: true }).selectOption({ index: 1 });
    await page.getByText("Slept well, took a long walk").first().waitFor();
    await page.locator(".timeline").getByText("HbA1c").first().waitFor({ state: "detached" });
    await axe(page);
    await page.getByLabel(t("record-by-place"), { exact: true }).selectOption({ index: 1 });
    await page.getByText(t("record-empty-filter-title")).waitFor();
    await page.getByRole("button", { name: t("record-show-all") }).click();
    await page.getByLabel(t("record-by-place"), { exact: true }).selectOption({ index: 1 });
    await page.locator(".timeline").getByText("HbA1c").first().waitFor();
    expect(!(await main()).includes("Slept well, took a long walk"), "what the family wrote has no place");
  }, page);

  await claim("a_trend_is_drawn_with_its_table", async () => {
    const trend = (await rows(device, chart)).find((row) => row.trend && row.kind === "lab-result").trend;
    await visit(page, device, `/record/results/${encodeURIComponent(trend)}`);
    expect((await page.locator("main svg").count()) > 0, "there is a drawing");
    await page.getByText(t("chart-table"), { exact: true }).first().click();
    const cells = await page.getByRole("table").first().innerText();
    for (const value of ["6.4", "6.9", "7.8"]) expect(cells.includes(value), `${value} is in the table: ${cells}`);
    await axe(page);
  }, page);

  await claim("a_trend_shows_its_goal_and_another_unit", async () => {
    await visit(page, device, `/record/results/${encodeURIComponent("loinc|4548-4")}`);
    const drawn = () => page.locator("main svg.chart-drawing").textContent();
    expect((await drawn()).includes(t("chart-goal-below", { high: "7.5", unit: "%" })), `the goal is a line with its words: ${await drawn()}`);
    const above = await page.evaluate(() => {
      const [line, words] = [".chart-line", ".chart-goal-label"].map((part) => document.querySelector(`main svg ${part}`));
      return (line.compareDocumentPosition(words) & Node.DOCUMENT_POSITION_FOLLOWING) > 0 && getComputedStyle(words).paintOrder.startsWith("stroke");
    });
    expect(above, "its words stand on a ground of their own, over the line of values");
    await page.getByRole("button", { name: "mmol/mol", exact: true }).click();
    await page.getByText(t("chart-converted")).waitFor();
    expect((await drawn()).includes("62"), `7.8 % is 62 mmol/mol: ${await drawn()}`);
    // By the links of the pages: a reload would be another opening of the app.
    await page.getByRole("link", { name: t("app-medicines"), exact: true }).first().click();
    await page.getByRole("heading", { level: 1, name: t("medicines-title") }).waitFor();
    await page.goBack();
    await page.getByText(t("chart-converted")).waitFor();
    expect((await drawn()).includes("62"), "the unit is remembered when the page is left");
    await page.getByRole("button", { name: "%", exact: true }).click();
    await page.getByText(t("chart-converted")).waitFor({ state: "detached" });
    expect((await drawn()).includes("7.8"), "and back as printed");
  }, page);

  await claim("a_persons_colour_and_name_can_be_changed", async () => {
    await visit(page, device, "/record");
    await page.getByRole("button", { name: t("people-switch") }).click();
    await page.getByRole("dialog").getByRole("button", { name: t("people-edit") }).click();
    await page.getByRole("dialog").getByText("2 Apr 1961").waitFor();
    await page.getByLabel(t("colour-lumut")).check();
    await axe(page);
    await page.getByRole("dialog").getByRole("button", { name: t("people-edit-do"), exact: true }).click();
    await page.locator('.app[data-person="lumut"]').waitFor();
    const [own] = await device.call("chart_list");
    equal([own.name, own.colour, own.born], [NAME, "lumut", "1961-04-02"], "the colour alone was changed");
  }, page);

  await claim("the_language_changes_at_once_and_stays", async () => {
    const settings = await device.call("settings_get");
    await device.call("settings_set", { ...settings, display: { ...settings.display, language: "id" } });
    await visit(page, device, "/record");
    equal(await page.evaluate(() => document.documentElement.lang), "id", "the page says its language");
    await page.getByRole("heading", { level: 1, name: t("record-title", {}, "id") }).waitFor();
    equal(page.trouble, [], "no script error, no blocked resource, no other host");
  }, page);

  await claim("the_language_can_be_chosen_while_locked_and_is_kept_once_it_opens", async () => {
    await device.call("vault_lock");
    await page.getByRole("heading", { level: 1, name: t("unlock-title", {}, "id") }).waitFor();
    await page.locator(".language-choice select").selectOption("en");
    await page.getByRole("heading", { level: 1, name: t("unlock-title") }).waitFor();
    await axe(page);
    await fits(page);
    await page.getByLabel(t("unlock-passphrase"), { exact: true }).fill(WORDS);
    await button("unlock-open").click();
    await page.getByRole("heading", { level: 1, name: t("record-title") }).waitFor();
    await until(async () => (await device.call("settings_get")).display.language === "en", "it is kept");
    await page.reload();
    await page.getByRole("heading", { level: 1, name: t("record-title") }).waitFor();
  }, page);
}
