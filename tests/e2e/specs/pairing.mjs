// A second device, paired by hand at two screens: words read off one and typed into the other, wrong words, a no, a cut, a stop,
// and how it looks at both ends. Each state passes axe in light and dark at phone size.

import { add, connect, makeVault, rows, until } from "../arrange.mjs";
import { PHONE, axe, fits, open } from "../browser.mjs";
import { settled } from "../pages.mjs";
import { equal, expect } from "../report.mjs";
import { t } from "../words.mjs";

const SCHEMES = ["light", "dark"];

/** A page as the person in front of it uses it. */
export class Screen {
  constructor(page) {
    this.page = page;
    this.nodes = 0;
    this.states = [];
  }

  static async of(browser, device) {
    const page = await open(browser, device.page, { viewport: PHONE });
    await settled(page);
    return new Screen(page);
  }

  heading(id, args, level) {
    return this.page.getByRole("heading", { name: t(id, args), exact: true, level });
  }

  press(id, args) {
    return this.page.getByRole("button", { name: t(id, args), exact: true }).click();
  }

  reads(id, args) {
    return this.page.getByText(t(id, args)).first().waitFor();
  }

  /** The state as it stands, in both schemes. */
  async look(state) {
    for (const colorScheme of SCHEMES) {
      await this.page.emulateMedia({ colorScheme });
      const found = await axe(this.page).catch((error) => Promise.reject(new Error(`${state}, ${colorScheme}: ${error.message}`)));
      this.nodes += found.nodes;
    }
    await this.page.emulateMedia({ colorScheme: "light" });
    await fits(this.page).catch((error) => Promise.reject(new Error(`${state}: ${error.message}`)));
    this.states.push(state);
  }

  /** By the links of the pages to "Add a device". */
  async toPairing() {
    await this.page.getByRole("navigation", { name: t("app-navigation") }).getByRole("link", { name: t("app-settings") }).first().click();
    await this.page.getByRole("link", { name: new RegExp(`^${t("settings-devices")}`) }).click();
    await this.page.getByRole("link", { name: t("devices-add"), exact: true }).click();
    await this.heading("pair-title", {}, 1).waitFor();
  }

  /** The words and the address as they are shown. */
  async code() {
    await this.page.locator(".word-list li").first().waitFor();
    const words = (await this.page.locator(".word-list li").allInnerTexts()).map((word) => word.trim());
    equal(words.length, 12, "a code has twelve words");
    return { words, server: (await this.page.locator(".pair-server").innerText()).trim() };
  }

  /** Types a code and goes on. */
  async type({ words, server }, { device = "Tablet" } = {}) {
    await this.heading("join-title", {}, 1).waitFor();
    await this.page.getByLabel(t("join-code"), { exact: true }).fill("");
    await this.page.getByLabel(t("join-code"), { exact: true }).pressSequentially(words.join(" "));
    await this.page.getByLabel(t("join-server"), { exact: true }).fill(server);
    await this.page.getByLabel(t("first-device"), { exact: true }).fill(device);
  }

  /** Takes the six words that the device made; those words. */
  async passphrase() {
    await this.heading("first-passphrase-title", {}, 1).waitFor();
    await this.page.waitForFunction(() => document.getElementById("passphrase-new")?.value.split(" ").length === 6);
    const words = await this.page.getByLabel(t("unlock-passphrase"), { exact: true }).inputValue();
    await this.page.getByLabel(t("first-again")).fill(words);
    await this.press("first-continue");
    return words;
  }

  note() {
    equal(this.page.trouble, [], "no script error, no blocked resource, no other host");
    return `${this.states.join(", ")}: axe checked ${this.nodes} nodes`;
  }
}

export default async function ({ actors, browser, claim }) {
  const server = await actors.server();
  const phone = await actors.device("phone");
  const tablet = await actors.device("tablet");
  const chart = await makeVault(phone, { deviceName: "Phone" });
  await connect(phone, server);
  await add(phone, chart, "note", { text: "Walked in the morning" });
  const old = await Screen.of(browser, phone);
  const fresh = await Screen.of(browser, tablet);
  let code;

  await claim("the_first_device_shows_words_to_type", async () => {
    await old.toPairing();
    await old.look("before");
    await old.press("pair-start");
    code = await old.code();
    equal(code.server, server.url, "and where");
    await old.look("code shown");
    return old.note();
  }, old.page);

  await claim("a_wrong_word_is_said_and_only_the_word_is_typed_again", async () => {
    await fresh.press("first-join");
    const wrong = [...code.words];
    wrong[3] = wrong[3] === "abacus" ? "abdomen" : "abacus";
    await fresh.type({ ...code, words: wrong });
    await fresh.look("code typed");
    await fresh.press("first-continue");
    await fresh.passphrase();
    await fresh.reads("error-pairing-words");
    await fresh.look("wrong word");
    await fresh.press("app-try-again");
    wrong[3] = "abacuss";
    await fresh.type({ ...code, words: wrong });
    await fresh.press("first-continue");
    await fresh.reads("error-pairing-word", { at: 4 });
    await fresh.press("app-try-again");
    await fresh.type(code);
    await fresh.press("first-continue");
    await fresh.heading("join-waiting-title", {}, 1).waitFor();
    await fresh.look("waiting");
    return fresh.note();
  }, fresh.page);

  await claim("a_no_on_the_first_device_ends_it_on_both", async () => {
    await old.heading("pair-asking-title", { name: "Tablet" }).waitFor();
    await old.look("asking");
    await old.press("pair-refuse");
    await old.page.getByRole("button", { name: t("pair-start"), exact: true }).waitFor();
    await fresh.heading("join-ended-title", {}, 1).waitFor();
    await fresh.reads("pairing-refused");
    await fresh.look("refused");
    equal((await phone.call("device_list")).map((device) => device.name), ["Phone"], "no device was added");
    equal((await tablet.call("vault_status")).phase, "missing", "and nothing was made on the other");
    return fresh.note();
  }, fresh.page);

  await claim("a_code_that_was_stopped_ends_for_who_typed_it", async () => {
    await old.press("pair-start");
    const stopped = await old.code();
    await old.press("pair-stop");
    await old.page.getByRole("button", { name: t("pair-start"), exact: true }).waitFor();
    await fresh.press("app-try-again");
    await fresh.type(stopped);
    await fresh.press("first-continue");
    await fresh.heading("join-ended-title", {}, 1).waitFor();
    await fresh.press("app-try-again");
    await old.press("pair-start");
    code = await old.code();
    await fresh.type(code);
    await fresh.press("first-continue");
    await fresh.heading("join-waiting-title", {}, 1).waitFor();
    await old.heading("pair-asking-title", { name: "Tablet" }).waitFor();
    await fresh.press("pair-stop");
    await fresh.heading("join-title", {}, 1).waitFor();
    equal((await tablet.call("pair_status")).phase, "none", "stopping on the new device stops it there");
    await old.press("pair-refuse");
  }, fresh.page);

  await claim("yes_brings_everything_over_also_through_a_cut", async () => {
    await old.press("pair-start");
    code = await old.code();
    await fresh.type(code);
    await fresh.press("first-continue");
    await fresh.heading("join-waiting-title", {}, 1).waitFor();
    await old.heading("pair-asking-title", { name: "Tablet" }).waitFor();
    await server.stop();
    await old.press("pair-approve", { name: "Tablet" });
    await old.reads("pairing-again");
    await old.look("bringing over, cut");
    await fresh.reads("pairing-again");
    await fresh.look("waiting, cut");
    Object.assign(server, await actors.server(server.folder, new URL(server.url).host));
    await fresh.heading("join-done-title", {}, 1).waitFor();
    await fresh.look("done");
    await old.heading("pair-done-title", { name: "Tablet" }).waitFor();
    await old.look("done");
    equal((await rows(tablet, chart)).map((row) => row.title), (await rows(phone, chart)).map((row) => row.title), "both devices list the same");
    return `${old.note()}; ${fresh.note()}`;
  }, old.page);

  await claim("both_ends_lead_on", async () => {
    await fresh.press("join-open");
    await fresh.page.getByRole("navigation", { name: t("app-navigation") }).first().waitFor();
    expect((await fresh.page.locator("body").innerText()).includes("Ratna"), "the new device opens on the record");
    await fresh.look("opened");
    await old.page.getByRole("link", { name: t("pair-done-back"), exact: true }).click();
    await old.page.locator(".device-row").nth(1).waitFor();
    equal((await old.page.locator(".device-name").allInnerTexts()).sort(), ["Phone", "Tablet"], "the list has both");
    await old.look("list");
    await old.page.getByRole("link", { name: t("devices-add"), exact: true }).click();
    await old.press("pair-another");
    await old.code();
    return `${old.note()}; ${fresh.note()}`;
  }, old.page);

  await claim("a_locked_first_device_has_no_code_and_goes_on_when_it_opens", async () => {
    const watch = await actors.device("watch");
    const third = await Screen.of(browser, watch);
    code = await old.code();
    await third.press("first-join");
    await third.type(code, { device: "Watch" });
    await third.press("first-continue");
    await third.passphrase();
    await old.heading("pair-asking-title", { name: "Watch" }).waitFor();
    await server.stop();
    await old.press("pair-approve", { name: "Watch" });
    await old.reads("pairing-again");
    await phone.call("vault_lock");
    await old.heading("unlock-title", {}, 1).waitFor();
    Object.assign(server, await actors.server(server.folder, new URL(server.url).host));
    await old.page.getByLabel(t("unlock-passphrase"), { exact: true }).fill("lantern maple orbit quiet saddle velvet");
    await old.press("unlock-open");
    await third.heading("join-done-title", {}, 1).waitFor();
    await until(async () => (await phone.call("device_list")).length === 3, "the first device has three");
    await third.note();
    await third.page.context().close();
  }, old.page);

  await old.page.context().close();
  await fresh.page.context().close();
}
