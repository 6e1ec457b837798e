// "Your data" at the screens: checking, a backup, and putting it in the place of what is there. Each state passes axe in light and
// dark at phone size.

import { WORDS, add, makeVault, rows, until } from "../arrange.mjs";
import { equal, expect } from "../report.mjs";
import { settled, visit } from "../pages.mjs";
import { t } from "../words.mjs";
import { Screen } from "./pairing.mjs";

export default async function ({ actors, browser, claim }) {
  const device = await actors.device("phone");
  const chart = await makeVault(device, { deviceName: "Phone" });
  await add(device, chart, "note", { text: "Slept badly since Tuesday" });
  const screen = await Screen.of(browser, device);
  const typed = (words) => screen.page.getByLabel(t("unlock-passphrase"), { exact: true }).fill(words);

  await claim("a_check_is_begun_on_the_page_and_says_that_everything_is_as_it_was_written", async () => {
    await visit(screen.page, device, "/settings");
    await screen.page.getByRole("link", { name: new RegExp(`^${t("data-title")}`) }).click();
    await screen.heading("data-title", {}, 1).waitFor();
    await screen.press("check-begin");
    await screen.page.getByText(t("check-sound", { looked: "", when: "" }).split(":")[0]).waitFor();
    await screen.look("sound");
    equal((await device.call("check_status")).findings.length, 0, "nothing was found");
    return screen.note();
  }, screen.page);

  await claim("a_backup_needs_the_passphrase_and_its_age_and_folder_are_shown", async () => {
    await screen.reads("backup-none");
    await screen.press("backup-make");
    await typed(`${WORDS} wrong`);
    await screen.press("backup-make");
    await screen.reads("error-passphrase-asked");
    await screen.look("wrong passphrase");
    await typed(WORDS);
    await screen.press("backup-make");
    await screen.reads("backup-done");
    const { backups, folder } = await device.call("backup_list");
    equal(backups.length, 1, "one backup");
    expect((await screen.page.locator("main").innerText()).includes(folder), "where it lies is said");
    await screen.look("a backup");
    return screen.note();
  }, screen.page);

  await claim("a_backup_takes_the_place_of_what_is_there_which_is_set_aside", async () => {
    await add(device, chart, "note", { text: "After the backup" });
    equal((await rows(device, chart)).length, 2, "two notes");
    await device.call("vault_lock");
    await screen.heading("unlock-title", {}, 1).waitFor();
    await screen.press("backup-restore-title");
    await screen.heading("backup-restore-title", {}, 1).waitFor();
    await screen.look("which backup");
    await screen.page.getByRole("button", { name: new RegExp(`^${t("backup-restore")}`) }).first().click();
    await typed(WORDS);
    await screen.press("backup-restore");
    await until(async () => (await device.call("vault_status")).phase === "open", "it is open");
    await settled(screen.page);
    equal((await rows(device, chart)).length, 1, "what was written after the backup is not in it");
    const { backups } = await device.call("backup_list");
    expect(backups.some((one) => one.aside), "what was there is set aside, not removed");
    return screen.note();
  }, screen.page);
}
