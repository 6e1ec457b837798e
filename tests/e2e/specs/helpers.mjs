// Recovery helpers at the screens: three are chosen and take their parts by codes on their own apps, an empty device asks, every
// device of the account is told first on home, a helper compares words and gives a part, a device stops it. The seven days
// themselves are the server's clock, which is moved in the client's own tests; how the end of the wait looks is drawn here from an
// altered answer, and what it then asks for is refused by the real server. Each state passes axe in light and dark at phone size.

import { WORDS, add, connect, makeVault, pair, settle, until } from "../arrange.mjs";
import { fits, readable } from "../browser.mjs";
import { settled, visit, walk } from "../pages.mjs";
import { equal, expect } from "../report.mjs";
import { t } from "../words.mjs";
import { Screen } from "./pairing.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;

/** The page of recovery helpers, of whoever chose them or keeps a part. */
class Helpers extends Screen {
  static async at(browser, device) {
    const screen = new Helpers((await Screen.of(browser, device)).page);
    screen.device = device;
    return screen;
  }

  toPage() {
    return visit(this.page, this.device, "/settings/helpers");
  }

  row(name) {
    return this.page.locator(".settings-list > li").filter({ has: this.page.getByText(name, { exact: true }) });
  }

  async says(name, id) {
    await this.row(name).getByText(t(id)).waitFor();
  }

  /** Shows a helper's code; its words. */
  async codeOf(name) {
    await this.row(name).getByRole("button", { name: new RegExp(`^${t("helper-code")}`) }).click();
    return (await this.code()).words;
  }

  /** Types a code into the form that is open. */
  async typeCode(words) {
    await this.page.getByLabel(t("join-code"), { exact: true }).fill(words.join(" "));
    await this.press("first-continue");
  }

  /** Opens the code of somebody who asks. */
  async openCode(words) {
    await this.toPage();
    await this.press("part-code");
    await this.typeCode(words);
  }

  words() {
    return this.page.locator(".word-list").first().locator("li").allInnerTexts().then((words) => words.map((word) => word.trim()));
  }
}

export default async function ({ actors, browser, claim }) {
  const server = await actors.server();
  const device = async (name, person) => {
    const made = await actors.device(name);
    made.chart = await makeVault(made, { name: person, deviceName: `Phone of ${person}` });
    await connect(made, server);
    return made;
  };
  const phone = await device("phone", "Ratna");
  const tablet = await actors.device("tablet");
  await pair(phone, tablet, { deviceName: "Tablet" });
  const people = {};
  for (const name of ["Ani", "Budi", "Citra"]) people[name] = await device(name.toLowerCase(), name);
  await add(phone, phone.chart, "note", { text: "Walked in the morning" });
  await settle(phone, tablet);
  const { account } = await phone.call("helpers_get");

  const ratna = await Helpers.at(browser, phone);
  const screens = {};
  for (const name of Object.keys(people)) screens[name] = await Helpers.at(browser, people[name]);

  await claim("three_people_are_chosen_by_name_with_the_passphrase", async () => {
    await visit(ratna.page, phone, "/settings");
    await ratna.page.getByRole("link", { name: new RegExp(`^${t("helpers-title")}`) }).click();
    await ratna.heading("helpers-title", {}, 1).waitFor();
    await ratna.look("nobody chosen");
    await walk(ratna.page);
    await ratna.press("helpers-choose");
    const name = (number) => ratna.page.getByLabel(t("helpers-number", { number }), { exact: true });
    await name(1).fill("Ani");
    await name(2).fill("Budi");
    await ratna.press("first-continue");
    await ratna.reads("helpers-three");
    await ratna.look("two of three");
    await name(3).fill("Budi");
    await ratna.press("first-continue");
    await ratna.reads("helpers-alike");
    await name(3).fill("Citra");
    await ratna.press("first-continue");
    const typed = (words) => ratna.page.getByLabel(t("unlock-passphrase"), { exact: true }).fill(words);
    await typed(`${WORDS} wrong`);
    await ratna.press("helpers-choose-do");
    await ratna.reads("error-passphrase-asked");
    await ratna.look("wrong passphrase");
    await typed(WORDS);
    await ratna.press("helpers-choose-do");
    for (const helper of Object.keys(people)) await ratna.says(helper, "helper-chosen");
    await phone.call("sync_now");
    await ratna.reads("helpers-not-ready");
    await ratna.look("chosen");
    return ratna.note();
  }, ratna.page);

  await claim("each_takes_a_part_by_a_code_on_their_own_app_once_they_were_recognised", async () => {
    for (const name of ["Ani", "Budi"]) {
      const [helper, app] = [screens[name], people[name]];
      const words = await ratna.codeOf(name);
      if (name === "Ani") await ratna.look("a code");
      await helper.openCode(words);
      await helper.page.getByRole("heading", { name: t("part-offer", { name: "Ratna" }) }).waitFor();
      if (name === "Ani") await helper.look("asked to help");
      await helper.press("part-accept");
      await until(async () => {
        await settle(phone);
        return (await ratna.row(name).getByText(t("helper-is-it", { other: name, name })).count()) > 0;
      }, "who answered is asked about");
      if (name === "Ani") await ratna.look("somebody answered");
      await ratna.press("helper-yes", { name });
      await until(async () => {
        await settle(app, phone);
        return (await phone.call("helpers_get")).helpers.find((one) => one.name === name).state === "kept";
      }, "the part is kept");
      await ratna.says(name, "helper-kept");
      await helper.reads("part-kept");
    }
    await ratna.reads("helpers-ready");
    await screens.Ani.look("keeps a part");
    await walk(screens.Ani.page);
    return `${ratna.note()}; ${screens.Ani.note()}`;
  }, ratna.page);

  await claim("who_says_no_is_shown_as_such_and_somebody_else_can_be_chosen", async () => {
    await screens.Citra.openCode(await ratna.codeOf("Citra"));
    await screens.Citra.press("part-decline");
    await screens.Citra.reads("parts-none");
    await until(async () => {
      await settle(phone);
      return (await phone.call("helpers_get")).helpers[2].state === "declined";
    }, "the no is heard");
    await ratna.says("Citra", "helper-declined");
    await ratna.page.getByRole("button", { name: t("helpers-replace"), exact: true }).waitFor();
    await ratna.look("one said no");
    return ratna.note();
  }, ratna.page);

  await claim("every_page_of_it_fits_with_large_text_in_both_languages", async () => {
    const settings = await phone.call("settings_get");
    try {
      for (const language of ["en", "id"]) {
        await phone.call("settings_set", { ...settings, display: { ...settings.display, text_percent: 200, language } });
        await ratna.toPage();
        await fits(ratna.page);
        await readable(ratna.page);
      }
    } finally {
      await phone.call("settings_set", settings);
    }
    await ratna.toPage();
  }, ratna.page);

  let lost = await actors.device("empty");
  let asker = await Helpers.at(browser, lost);
  let words;
  let passphrase;
  await claim("an_empty_device_asks_by_server_and_account_and_is_told_how_long_it_waits", async () => {
    await asker.press("byhelpers-title");
    await asker.heading("byhelpers-title", {}, 1).waitFor();
    await asker.look("before");
    await asker.press("first-continue");
    await asker.reads("byhelpers-account-missing");
    await asker.look("nothing typed");
    const field = (id) => asker.page.getByLabel(t(id), { exact: true });
    await field("join-server").fill(server.url);
    await field("kit-paper-account").fill("not an account");
    await asker.press("first-continue");
    passphrase = await asker.passphrase();
    await asker.reads("error-restore-account");
    await asker.look("no such account");
    await field("kit-paper-account").fill(account);
    await asker.press("first-continue");
    await asker.reads("byhelpers-parts", { got: 0, needed: 2 });
    words = await asker.words();
    equal(words.length, 6, "six check words");
    await asker.look("waiting");
    await walk(asker.page);
    return asker.note();
  }, asker.page);

  const second = await Helpers.at(browser, tablet);
  await claim("every_device_of_the_account_is_told_first_on_home_with_the_same_words", async () => {
    for (const [screen, at] of [[ratna, phone], [second, tablet]]) {
      await until(async () => {
        await settle(at);
        return (await at.call("home")).helpers_notice;
      }, "the device hears of it");
      await visit(screen.page, at, "/");
      await screen.heading("asked-title", {}, 2).waitFor();
      equal(await screen.words(), words, "the words of the screen that asks");
      const first = await screen.page.locator("main h1, main h2").first().innerText();
      equal(first.trim(), t("asked-title"), "before everything else");
      await screen.look("told on home");
      await walk(screen.page);
    }
    equal((await people.Ani.call("home")).helpers_notice, null, "a helper's own home says nothing of it");
    return `${ratna.note()}; ${second.note()}`;
  }, second.page);

  await claim("a_helper_compares_six_words_before_giving_a_part", async () => {
    await asker.press("byhelpers-code");
    const shown = asker.page.locator(".pair-code .word-list li");
    await shown.first().waitFor();
    const code = (await shown.allInnerTexts()).map((word) => word.trim());
    equal(code.length, 12, "a code for a helper");
    await asker.look("a code for a helper");
    const { Ani: ani } = screens;
    await ani.toPage();
    await ani.page.getByRole("button", { name: new RegExp(`^${t("part-give")}`) }).click();
    await ani.typeCode(code);
    await ani.page.getByText(t("part-give-do"), { exact: true }).waitFor();
    equal(await ani.words(), words, "the words of the screen that asks");
    await ani.look("compare");
    await ani.press("part-give-do");
    await until(async () => (await lost.call("restore_get")).parts.length === 1, "it has come");
    await asker.press("byhelpers-look");
    await asker.reads("byhelpers-parts", { got: 1, needed: 2 });
    await asker.look("one part");
    return `${ani.note()}; ${asker.note()}`;
  }, asker.page);

  await claim("an_app_that_was_ended_meanwhile_goes_on_with_its_passphrase", async () => {
    const profile = lost.profile;
    await asker.page.context().close();
    lost.child.kill("SIGKILL");
    await lost.child.ended;
    lost = await actors.device("again", { profile });
    asker = await Helpers.at(browser, lost);
    await asker.press("byhelpers-title");
    await asker.reads("byhelpers-locked");
    await asker.look("locked");
    equal((await lost.call("restore_get")).phase, "locked", "what was asked is not open");
    await asker.page.getByLabel(t("unlock-passphrase"), { exact: true }).fill(passphrase);
    await asker.press("unlock-open");
    await asker.reads("byhelpers-parts", { got: 1, needed: 2 });
    equal(await asker.words(), words, "the same request");
    return asker.note();
  }, asker.page);

  await claim("the_end_of_the_wait_asks_for_the_passphrase_and_the_server_still_decides", async () => {
    const open = await actors.device("third");
    const third = await Helpers.at(browser, open);
    const view = {
      phase: "released", server: server.url, account, device_name: "Third", words, asked_ms: Date.now() - 7 * DAY_MS, released_ms: Date.now(), again_ms: null,
      parts: [{ number: 1, from: "Ani", wrong: false }, { number: 2, from: "Budi", wrong: true }, { number: 3, from: "Citra", wrong: false }],
      needed: 2, message_id: null,
    };
    await third.page.route("**/api/restore_get", (route) => route.fulfill({ json: view }));
    await third.press("byhelpers-title");
    await third.reads("byhelpers-released");
    await third.reads("byhelpers-wrong");
    await third.look("released, a part does not fit");
    await walk(third.page);
    await third.page.getByLabel(t("unlock-passphrase"), { exact: true }).fill(WORDS);
    await third.press("byhelpers-finish-do");
    await third.page.locator(".error-block, .field-error").first().waitFor();
    equal((await open.call("vault_status")).phase, "missing", "a page that was told so has nothing to restore");
    await third.look("refused");
    view.phase = "over";
    await third.page.reload();
    await settled(third.page);
    await third.press("byhelpers-title");
    await third.reads("byhelpers-over");
    await third.look("over");
    const note = third.note();
    await third.page.context().close();
    return note;
  });

  await claim("any_device_stops_it_and_the_empty_device_is_told_when_it_may_ask_again", async () => {
    await second.press("asked-stop");
    await until(async () => {
      await settle(tablet, phone);
      return !(await phone.call("home")).helpers_notice && !(await tablet.call("home")).helpers_notice;
    }, "it is over on every device");
    for (const screen of [ratna, second]) await screen.heading("asked-title", {}, 2).waitFor({ state: "detached" });
    await asker.press("byhelpers-look");
    await asker.reads("byhelpers-stopped");
    expect((await lost.call("restore_get")).again_ms > Date.now() + 29 * DAY_MS, "nobody asks again for thirty days");
    await asker.page.getByText(t("byhelpers-again", { when: "" }).replace(/\.$/, "").trim()).waitFor();
    await asker.look("stopped");
    await asker.press("byhelpers-drop");
    await asker.page.getByLabel(t("kit-paper-account"), { exact: true }).waitFor();
    return `${asker.note()}; ${second.note()}`;
  }, second.page);

  await ratna.page.context().close();
}
