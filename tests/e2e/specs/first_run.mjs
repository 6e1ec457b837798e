// A person's first minutes, through the screens alone: choose six words, make the record, lock, open it again.

import { until } from "../arrange.mjs";
import { PHONE, axe, fits, open } from "../browser.mjs";
import { settled } from "../pages.mjs";
import { equal, expect } from "../report.mjs";
import { t } from "../words.mjs";

export default async function ({ actors, browser, claim }) {
  const device = await actors.device("first-run");
  const page = await open(browser, device.page, { viewport: PHONE });
  await settled(page);
  const button = (id) => page.getByRole("button", { name: t(id), exact: true });
  const heading = (id) => page.getByRole("heading", { level: 1, name: t(id) });
  let words;

  await claim("the_first_page_can_be_read_in_indonesian", async () => {
    await page.getByLabel(t("display-language")).selectOption("id");
    await page.getByRole("heading", { level: 1, name: t("first-title", {}, "id") }).waitFor();
    equal(await page.evaluate(() => document.documentElement.lang), "id", "the page says its language");
    await page.getByLabel(t("display-language", {}, "id")).selectOption("en");
    await heading("first-title").waitFor();
  }, page);

  await claim("six_words_typed_twice_and_a_name_make_the_record", async () => {
    await button("first-start").click();
    await heading("first-passphrase-title").waitFor();
    const first = page.getByLabel(t("unlock-passphrase"), { exact: true });
    await page.waitForFunction((id) => document.getElementById(id)?.value.split(" ").length === 6, "passphrase-new");
    words = await first.inputValue();
    await axe(page);
    await fits(page);
    await page.getByLabel(t("first-again")).fill(`${words} more`);
    await button("first-continue").click();
    await page.getByText(t("first-again-differs", { at: 7 })).waitFor();
    await axe(page);
    await page.getByLabel(t("first-again")).fill(words);
    await button("first-continue").click();
    await heading("first-about-title").waitFor();
    await page.getByLabel(t("first-name"), { exact: true }).fill("Ibu Ratna");
    await page.getByLabel(t("colour-toska")).check();
    await axe(page);
    await fits(page);
    await button("first-make").click();
    await page.getByRole("navigation", { name: t("app-navigation") }).first().waitFor();
    equal((await device.call("vault_status")).phase, "open", "the vault is made and open");
    equal((await device.call("chart_list")).map((chart) => chart.name), ["Ibu Ratna"], "with the person's own chart");
    await until(async () => (await device.call("chart_list"))[0].colour === "toska", "in the chosen colour");
  }, page);

  await claim("after_a_lock_a_wrong_passphrase_is_said_and_the_right_one_opens", async () => {
    await device.call("vault_lock");
    await heading("unlock-title").waitFor();
    expect(!(await page.locator("body").innerText()).includes("Ratna"), "no name is shown while it is locked");
    await axe(page);
    const field = page.getByLabel(t("unlock-passphrase"), { exact: true });
    await field.fill(`${words} wrong`);
    await button("unlock-open").click();
    await page.getByText(/does not open it/).waitFor();
    await axe(page);
    await field.fill(words);
    await button("unlock-open").click();
    await page.getByRole("navigation", { name: t("app-navigation") }).first().waitFor();
    equal(page.trouble, [], "no script error, no blocked resource, no other host");
  }, page);
}
