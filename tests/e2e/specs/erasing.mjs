// Erasing for good and moving to "sensitive" at the screens, by keyboard alone: who may have read it is named first, both devices and
// whoever was let in follow, nothing offers to undo it, and a device that is killed in the middle goes on. Each state passes axe in
// light and dark at phone size.

import { WORDS, add, connect, letIn, makeVault, pair, rows, settle, until } from "../arrange.mjs";
import { choose, settled, visit } from "../pages.mjs";
import { equal, expect } from "../report.mjs";
import { t } from "../words.mjs";
import { Screen } from "./pairing.mjs";

const PRESSES_MAX = 80;

/** A page that is used by keys only. */
class Keys extends Screen {
  static async at(browser, device, chart) {
    const keys = new Keys((await Screen.of(browser, device)).page);
    keys.device = device;
    await choose(keys.page, chart);
    return keys;
  }

  toEntry(entry) {
    return visit(this.page, this.device, `/record/entry/${encodeURIComponent(entry)}`);
  }

  /** Presses Tab until the focus is on the button of this name. */
  async tabTo(name) {
    for (let press = 0; press < PRESSES_MAX; press += 1) {
      const at = await this.page.evaluate(() => document.activeElement?.tagName === "BUTTON" && document.activeElement.textContent.trim());
      if (at === name) return;
      await this.page.keyboard.press("Tab");
    }
    throw new Error(`Tab does not reach ${name}`);
  }

  async enter(id, args) {
    await this.tabTo(t(id, args));
    await this.page.keyboard.press("Enter");
  }

  dialog() {
    return this.page.getByRole("dialog");
  }

  async offersNoUndo() {
    equal(await this.page.getByRole("button", { name: t("app-undo"), exact: true }).count(), 0, "nothing offers to undo it");
  }
}

const titles = async (device, chart) => (await rows(device, chart)).map((row) => row.title).toSorted();
const gone = (device, chart, title) => async () => !(await titles(device, chart)).includes(title);

export default async function ({ actors, browser, claim }) {
  const server = await actors.server();
  let phone = await actors.device("phone");
  const laptop = await actors.device("laptop");
  const other = await actors.device("daughter");
  const chart = await makeVault(phone, { deviceName: "Phone" });
  await makeVault(other, { name: "Laras", born: "1988-03-14", deviceName: "Phone of Laras" });
  await connect(phone, server);
  await connect(other, server);
  const notes = {};
  for (const text of ["Quarrel with a neighbour", "Worries at night", "Third note", "Fourth note", "Stays"]) {
    notes[text] = await add(phone, chart, "note", { text });
  }
  await pair(phone, laptop);
  await letIn(phone, other, { chart, sections: ["diary"], role: "reader", name: "Laras" });
  const all = [phone, laptop, other];
  await until(async () => {
    await settle(...all);
    return (await titles(other, chart).catch(() => [])).length === 5;
  }, "the daughter reads the notes");
  const mother = await Keys.at(browser, phone, chart);
  const beside = await Keys.at(browser, laptop, chart);

  await claim("before_it_is_erased_the_page_names_who_may_have_read_it_and_escape_keeps_it", async () => {
    await mother.toEntry(notes["Quarrel with a neighbour"]);
    await mother.enter("erase-begin");
    await mother.dialog().getByText(t("erase-read-by")).waitFor();
    const said = await mother.dialog().innerText();
    for (const words of ["Laras", t("erase-reads-now"), t("erase-text"), "Your other device", t("erase-waits")]) {
      expect(said.includes(words), `the question says ${words}: ${said}`);
    }
    equal(await mother.page.evaluate(() => document.activeElement.textContent.trim()), t("entry-delete-keep"), "the focus is on the safe button");
    await mother.look("the question");
    await mother.page.keyboard.press("Escape");
    await mother.dialog().waitFor({ state: "detached" }).catch(() => mother.dialog().waitFor({ state: "hidden" }));
    equal(await phone.call("erasure_list", { chart }), [], "nothing was begun");
    return mother.note();
  }, mother.page);

  await claim("by_keyboard_alone_it_is_erased_and_every_device_lets_it_go_without_an_undo", async () => {
    await beside.toEntry(notes["Quarrel with a neighbour"]);
    await mother.enter("erase-begin");
    await mother.dialog().getByLabel(t("entry-delete-reason")).focus();
    await mother.page.keyboard.type("about somebody else");
    await mother.enter("erase-do");
    await mother.page.locator(".toast").waitFor();
    await mother.offersNoUndo();
    for (const [device, who] of [[phone, "the phone"], [laptop, "the laptop"], [other, "the daughter's phone"]]) {
      await until(async () => {
        await settle(...all);
        return gone(device, chart, "Quarrel with a neighbour")();
      }, `it is gone from ${who}`);
    }
    await beside.heading("entry-missing-title", {}, 1).waitFor();
    await beside.look("an entry that was erased elsewhere");
    const refused = await laptop.call("entry_restore", { chart, entry: notes["Quarrel with a neighbour"] }).then(() => "taken", (error) => error.code);
    expect(refused !== "taken", "nor can a command bring it back");
    await visit(mother.page, phone, "/settings/data");
    await mother.reads("erased-done");
    expect((await mother.page.locator("main").innerText()).includes("about somebody else"), "with its reason");
    await mother.offersNoUndo();
    await mother.look("what was erased");
    return `${mother.note()}; ${beside.note()}`;
  }, mother.page);

  await claim("the_button_says_where_it_moves_to_and_only_the_owner_goes_on_seeing_it", async () => {
    await mother.toEntry(notes["Worries at night"]);
    await mother.enter("move-do");
    await mother.dialog().getByText(t("move-text")).waitFor();
    await mother.look("the question of moving");
    await mother.tabTo(t("move-do"));
    await mother.page.keyboard.press("Enter");
    await until(async () => {
      await settle(...all);
      return gone(other, chart, "Worries at night")();
    }, "the daughter does not see it any more");
    const moved = async (device) => (await rows(device, chart)).find((row) => row.title === "Worries at night");
    for (const [keys, device] of [[mother, phone], [beside, laptop]]) {
      const row = await until(async () => {
        await settle(...all);
        return moved(device);
      }, "its owner sees it on both devices");
      await keys.toEntry(row.entry);
      await keys.page.getByRole("button", { name: t("move-back-do"), exact: true }).waitFor();
      await keys.look("a sensitive entry");
    }
    const back = await moved(phone);
    await mother.toEntry(back.entry);
    await mother.enter("move-back-do");
    await mother.dialog().getByText(t("move-back-text")).waitFor();
    await mother.enter("move-back-do");
    await until(async () => {
      await settle(...all);
      return (await titles(other, chart)).includes("Worries at night");
    }, "moved out of it, she sees it again");
    return `${mother.note()}; ${beside.note()}`;
  }, mother.page);

  await claim("without_signal_it_waits_says_so_and_can_be_stopped", async () => {
    await server.stop();
    await mother.toEntry(notes["Third note"]);
    await mother.enter("erase-begin");
    await mother.enter("erase-do");
    await mother.page.getByText(t("erasing-waits-text")).waitFor();
    expect((await titles(phone, chart)).includes("Third note"), "it stands until then");
    await mother.look("waiting");
    await mother.enter("erasing-stop");
    await mother.page.getByRole("button", { name: t("erase-begin"), exact: true }).waitFor();
    equal((await phone.call("erasure_list", { chart })).filter((one) => one.phase !== "done").length, 0, "nothing waits any more");
    return mother.note();
  }, mother.page);

  await claim("killed_in_the_middle_it_goes_on_after_the_next_unlock", async () => {
    await mother.toEntry(notes["Fourth note"]);
    await mother.enter("erase-begin");
    await mother.enter("erase-do");
    await mother.page.getByText(t("erasing-waits-text")).waitFor();
    phone.child.kill("SIGKILL");
    await phone.child.ended;
    await mother.page.context().close();
    phone = await actors.device("phone", { profile: phone.profile });
    all[0] = phone;
    const again = await Keys.at(browser, phone, chart);
    await again.page.getByLabel(t("unlock-passphrase"), { exact: true }).fill(WORDS);
    await again.page.keyboard.press("Enter");
    await until(async () => (await phone.call("vault_status")).phase === "open", "it opens");
    await settled(again.page);
    await again.toEntry(notes["Fourth note"]);
    await again.page.getByText(t("erasing-waits-text")).waitFor();
    await again.look("still waiting after the kill");
    Object.assign(server, await actors.server(server.folder, new URL(server.url).host));
    // Killed once more, with the server there: whatever it had signed or sent by then is gone on with.
    await phone.call("sync_now").catch(() => {});
    phone.child.kill("SIGKILL");
    await phone.child.ended;
    await again.page.context().close();
    phone = await actors.device("phone", { profile: phone.profile });
    all[0] = phone;
    await phone.call("vault_unlock", { passphrase: WORDS });
    for (const device of all) {
      await until(async () => {
        await settle(...all);
        return gone(device, chart, "Fourth note")();
      }, "it is gone everywhere", 40_000);
    }
    const expected = ["Stays", "Third note", "Worries at night"];
    for (const device of all) equal(await titles(device, chart), expected, "and nothing else is");
    equal((await phone.call("erasure_list", { chart })).filter((one) => one.phase !== "done").length, 0, "nothing is left to do");
    return again.note();
  });

  await beside.page.context().close();
}
