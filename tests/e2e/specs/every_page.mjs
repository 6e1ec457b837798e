// Every page in its states, under axe and by keyboard: full (ten years of record), empty, error, offline.

import { LAPTOP, PHONE, axe, fits, open, readable } from "../browser.mjs";
import { family, routes } from "../family.mjs";
import { makeVault } from "../arrange.mjs";
import { choose, settled, visit, walk } from "../pages.mjs";
import { equal, expect } from "../report.mjs";
import { t } from "../words.mjs";

/** Runs `look` over pages and sums what axe checked. */
async function checkAll(page, device, pages, look = async () => {}) {
  let nodes = 0;
  let elements = 0;
  const wrong = [];
  for (const [name, route] of pages) {
    try {
      await visit(page, device, route);
      const found = await axe(page);
      await look(name);
      nodes += found.nodes;
      elements += found.elements;
    } catch (error) {
      wrong.push(`${name}: ${error.message}`);
    }
  }
  if (wrong.length > 0) throw new Error(wrong.join(" || "));
  return `${pages.length} pages, axe checked ${nodes} nodes of ${elements} elements`;
}

export default async function ({ actors, browser, claim }) {
  const shown = await family(actors);
  const { device, server } = shown;
  const pages = routes(shown);

  for (const [size, viewport] of [["phone", PHONE], ["laptop", LAPTOP]]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(browser, device.page, { viewport, colorScheme });
      await choose(page, shown.chart);
      await claim(`full_pages_pass_axe_and_fit_on_a_${size}_in_${colorScheme}`, async () => {
        const note = await checkAll(page, device, pages, () => fits(page));
        equal(page.trouble, [], "no script error, no blocked resource, no other host");
        return note;
      }, page);
      await page.context().close();
    }
  }

  const page = await open(browser, device.page, { viewport: LAPTOP });
  await choose(page, shown.chart);
  await claim("every_control_is_reached_and_shown_by_keyboard", async () => {
    let controls = 0;
    const wrong = [];
    for (const [name, route] of pages) {
      await visit(page, device, route);
      await walk(page).then((count) => (controls += count), (error) => wrong.push(`${name}: ${error.message}`));
    }
    if (wrong.length > 0) throw new Error(wrong.join(" || "));
    return `${controls} controls on ${pages.length} pages`;
  }, page);

  await claim("settle_on_home_leads_straight_to_the_question", async () => {
    await visit(page, device, "/");
    await page.locator(".need").getByRole("button", { name: t("need-settle") }).first().click();
    await page.getByText(t("settle-which")).waitFor();
    expect(new URL(page.url()).pathname.endsWith("/settle/dose"), `the page of the dose: ${page.url()}`);
    equal(await page.locator('input[type="radio"]').count(), 2, "both values can be chosen");
    equal(await page.locator('input[type="radio"]:checked').count(), 0, "and neither is");
  }, page);

  await claim("home_shows_three_needs_and_all_of_them_with_one_press", async () => {
    const { needs, needs_total: total } = await device.call("home");
    expect(total > 3 && needs.length === total, `there are more than three: ${needs.length} of ${total}`);
    await visit(page, device, "/");
    equal(await page.locator(".need").count(), 3, "three ask for attention");
    await page.getByRole("button", { name: t("home-needs-all", { total }), exact: true }).click();
    await page.getByText(t("home-needs-count", { shown: total, total })).waitFor();
    equal(await page.locator(".need").count(), total, "and all of them with one press");
    return `${total} needs, axe checked ${(await axe(page)).nodes} nodes`;
  }, page);

  await claim("an_allergy_in_the_bar_of_medicines_leads_to_its_entry", async () => {
    const { allergies } = await device.call("medicines", { chart: shown.chart });
    expect(allergies.length > 0, "somebody has an allergy");
    await visit(page, device, "/record/medicines");
    await page.locator(".allergy-bar").getByRole("link", { name: allergies[0].text, exact: true }).click();
    await page.waitForURL((url) => decodeURIComponent(url.pathname) === `/record/entry/${allergies[0].entry}`);
    await settled(page);
    const title = await page.getByRole("heading", { level: 1 }).innerText();
    expect(allergies[0].text.startsWith(title), `the page of ${allergies[0].text}: ${title}`);
  }, page);

  await claim("on_a_laptop_sharing_and_adding_stand_in_the_person_bar_and_on_a_phone_beside_the_title", async () => {
    const names = [t("members-link"), t("record-add")];
    await visit(page, device, "/record");
    for (const name of names) {
      await page.locator(".person-bar").getByRole("link", { name, exact: true }).waitFor();
      equal(await page.locator("main .page-head").getByRole("link", { name, exact: true }).count(), 0, `${name} stands once`);
    }
    await visit(page, device, "/record/results");
    equal(await page.locator(".person-bar").getByRole("link").allInnerTexts(), [t("members-link")], "of a result only sharing");
    const phone = await open(browser, device.page, { viewport: PHONE });
    await choose(phone, shown.chart);
    await visit(phone, device, "/record");
    equal(await phone.locator(".person-bar").getByRole("link").count(), 0, "a phone's bar has no room");
    for (const name of [t("members-link"), t("record-add-short")]) await phone.locator("main .page-head").getByRole("link", { name, exact: true }).waitFor();
    await phone.context().close();
  }, page);

  const wide = [];
  const hidden = [];
  await claim("text_at_200_percent_still_fits", async () => {
    const settings = await device.call("settings_get");
    try {
      for (const [language, text_percent] of [["en", 100], ["en", 200], ["id", 200]]) {
        await device.call("settings_set", { ...settings, display: { ...settings.display, text_percent, language } });
        const large = await open(browser, device.page, { viewport: PHONE });
        await choose(large, shown.chart);
        for (const [name, route] of pages) {
          await visit(large, device, route);
          const at = `${name} in ${language} at ${text_percent} %`;
          await fits(large).catch((error) => wide.push(`${at}: ${error.message}`));
          await readable(large).catch((error) => hidden.push(`${at}: ${error.message}`));
        }
        await large.context().close();
      }
    } finally {
      await device.call("settings_set", settings);
    }
    if (wide.length > 0) throw new Error(wide.join(" || "));
    return `${pages.length} pages in two languages`;
  });

  await claim("nothing_of_a_page_is_hidden_under_its_bars", async () => {
    if (hidden.length > 0) throw new Error(hidden.join(" || "));
    // The measure itself must be able to fail: a bar that covers most of the page.
    const covered = await open(browser, device.page, { viewport: PHONE });
    await choose(covered, shown.chart);
    await visit(covered, device, "/record");
    await covered.evaluate(() => document.querySelector(".tabs").style.setProperty("min-height", "500px"));
    const seen = await readable(covered).then(() => "", (error) => error.message);
    expect(/the bars take/.test(seen), `a bar that covers most of the page is found: ${seen}`);
    await covered.context().close();
  });

  await claim("an_error_says_what_happened_and_passes_axe", async () => {
    return checkAll(page, device, [
      ["entry", "/record/entry/nothing-of-this-name"],
      ["settle", "/record/medicines/nothing-of-this-name/settle/dose"],
      ["trend", "/record/results/nothing-of-this-name"],
      ["address", "/no/such/page"],
    ], async (name) => {
      const texts = { entry: "entry-missing-text", settle: "error-entry-name", trend: "results-no-trend-title", address: "app-missing-text" };
      const said = await page.locator("main").innerText();
      expect(said.includes(t(texts[name])), `${name} says what happened: ${said}`);
    });
  }, page);

  await claim("offline_pages_say_so_and_pass_axe", async () => {
    await server.stop();
    await device.call("sync_now").catch(() => {});
    equal((await device.call("sync_status")).phase, "offline", "the device knows that it is offline");
    await visit(page, device, "/settings/devices");
    expect((await page.locator("main").innerText()).includes(t("devices-phase-offline")), "the page says so");
    return checkAll(page, device, [["home", "/"], ["record", "/record"], ["medicines", "/record/medicines"], ["devices", "/settings/devices"]]);
  }, page);
  await page.context().close();

  const bare = await actors.device("empty");
  await makeVault(bare);
  const empty = await open(browser, bare.page, { viewport: PHONE });
  await settled(empty);
  await claim("empty_pages_pass_axe", () => checkAll(empty, bare, routes({ clash: false })), empty);
  await empty.context().close();
}
