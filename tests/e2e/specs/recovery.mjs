// The recovery kit at the screens: made and printed, typed wrong and right, a forgotten passphrase, an empty device, and the list of
// devices. Each state passes axe in light and dark at phone size.

import { WORDS, add, connect, makeVault, rows, until } from "../arrange.mjs";
import { equal, expect } from "../report.mjs";
import { settled, visit } from "../pages.mjs";
import { t } from "../words.mjs";
import { Screen } from "./pairing.mjs";

const shown = (page) => page.locator(".kit-words li").allInnerTexts().then((words) => words.map((word) => word.trim()));

export default async function ({ actors, browser, claim }) {
  const server = await actors.server();
  const phone = await actors.device("phone");
  const empty = await actors.device("empty");
  const chart = await makeVault(phone, { deviceName: "Phone" });
  await connect(phone, server);
  await add(phone, chart, "note", { text: "Slept badly since Tuesday" });
  await add(phone, chart, "vital-sign", { code: "29463-7", value: "64", unit: "kg", effective: "2026-03-04" });
  const old = await Screen.of(browser, phone);
  let words = [];

  await claim("a_kit_is_shown_once_printed_and_counts_after_three_words_from_the_paper", async () => {
    await visit(old.page, phone, "/settings");
    await old.page.getByRole("link", { name: new RegExp(`^${t("kit-title")}`) }).click();
    await old.heading("kit-title", {}, 1).waitFor();
    await old.look("about");
    await old.press("kit-make");
    await old.page.getByLabel(t("unlock-passphrase"), { exact: true }).fill(`${WORDS} wrong`);
    await old.press("kit-show");
    await old.reads("error-passphrase-asked");
    await old.page.getByLabel(t("unlock-passphrase"), { exact: true }).fill(WORDS);
    await old.press("kit-show");
    await old.page.locator(".kit-words li").first().waitFor();
    words = await shown(old.page);
    equal(words.length, 13, "thirteen words");
    await old.reads("kit-paper-server");
    expect((await old.page.locator(".kit-facts").innerText()).includes(server.url), "with the server's address");
    await old.look("paper");
    await old.page.emulateMedia({ media: "print" });
    equal(await old.page.locator(".kit-words").isVisible(), true, "the words are printed");
    equal(await old.page.getByRole("button", { name: t("kit-have-it"), exact: true }).isVisible(), false, "the buttons are not");
    await old.page.emulateMedia({ media: "screen" });
    await old.press("kit-have-it");
    const fields = await old.page.locator("input[id^='word-']").all();
    equal(fields.length, 3, "three words are asked");
    for (const field of fields) await field.fill("zebra");
    await old.press("kit-confirm");
    await old.page.locator(".field-error").first().waitFor();
    await old.look("wrong word");
    for (const field of fields) await field.fill(words[Number((await field.getAttribute("id")).slice(5)) - 1]);
    await old.press("kit-confirm");
    await until(async () => (await phone.call("kit_status")).stored, "the server knows of the kit");
    await old.reads("kit-opens-this");
    await old.look("made");
    expect(!(await old.page.content()).includes(words.slice(0, 3).join(" ")), "the words are not on the page any more");
    return old.note();
  }, old.page);

  await claim("a_forgotten_passphrase_is_replaced_by_the_kit_and_a_wrong_word_is_named", async () => {
    await phone.call("vault_lock");
    const page = await Screen.of(browser, phone);
    await page.press("unlock-forgotten");
    await page.heading("forgotten-title", {}, 1).waitFor();
    await page.look("forgotten");
    const field = page.page.getByLabel(t("restore-words"), { exact: true });
    await field.fill(words.map((word, at) => (at === 4 ? "xqzt" : word)).join(" "));
    await page.press("first-continue");
    await page.passphrase();
    await page.reads("error-kit-word", { at: 5 });
    await page.look("wrong word");
    await field.fill(words.join(" "));
    await page.press("first-continue");
    await page.passphrase();
    await until(async () => (await phone.call("vault_status")).phase === "open", "it is open");
    await settled(page.page);
    equal((await rows(phone, chart)).length, 2, "with everything");
    return page.note();
  });

  await claim("an_empty_device_gets_everything_by_server_and_words", async () => {
    await phone.call("sync_now");
    const fresh = await Screen.of(browser, empty);
    await fresh.press("first-restore");
    await fresh.heading("restore-title", {}, 1).waitFor();
    await fresh.look("restore");
    const field = fresh.page.getByLabel(t("restore-words"), { exact: true });
    await field.fill(words.slice(0, 12).join(" "));
    await fresh.page.getByLabel(t("join-server"), { exact: true }).fill(server.url);
    await fresh.page.getByLabel(t("first-device"), { exact: true }).fill("Restored");
    await fresh.press("first-continue");
    await fresh.reads("error-kit-count", { got: 12 });
    await field.fill(words.join(" "));
    await fresh.press("first-continue");
    await fresh.passphrase();
    await fresh.heading("restore-done-title", {}, 1).waitFor();
    await fresh.look("restored");
    await fresh.press("join-open");
    await settled(fresh.page);
    const there = (await rows(empty, chart)).map((row) => [row.entry, row.kind, row.title, row.value ?? null]);
    const here = (await rows(phone, chart)).map((row) => [row.entry, row.kind, row.title, row.value ?? null]);
    equal(there, here, "the same record");
    return fresh.note();
  });

  await claim("a_device_is_renamed_and_removed_and_is_told", async () => {
    const page = await Screen.of(browser, empty);
    await visit(page.page, empty, "/settings/devices");
    await page.look("devices");
    await page.press("devices-rename-of", { name: "Phone" });
    await page.page.getByRole("dialog").getByLabel(t("first-device"), { exact: true }).fill("Old phone");
    await page.look("rename");
    await page.press("devices-rename-save");
    await page.page.getByText("Old phone").first().waitFor();
    await page.press("devices-remove-of", { name: "Old phone" });
    await page.reads("devices-remove-keeps");
    await page.look("remove");
    await page.page.getByRole("dialog").getByRole("button", { name: t("devices-remove-yes", { name: "Old phone" }), exact: true }).click();
    await until(async () => (await empty.call("device_list")).length === 1, "it is out of the list");
    await empty.call("sync_now");
    await until(async () => (await phone.call("sync_now")).phase === "refused", "the removed device is refused");
    const { message_id: told } = await phone.call("sync_status");
    expect(["error-device-removed", "error-device-not-let-in"].includes(told), `and told plainly: ${told}`);
    equal((await rows(phone, chart)).length, 2, "what it has it keeps");
    return page.note();
  });
}
