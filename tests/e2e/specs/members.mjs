// Two people, two accounts, one server: a mother lets her daughter into parts of her record, the daughter writes there, a part
// ends, then all of it, and she comes back and leaves by herself. Each state passes axe in light and dark at phone size.

import { add, connect, edit, letIn, makeVault, rows, settle, until } from "../arrange.mjs";
import { fits, readable } from "../browser.mjs";
import { choose, settled, visit } from "../pages.mjs";
import { equal, expect } from "../report.mjs";
import { t } from "../words.mjs";
import { Screen } from "./pairing.mjs";

const LAST_DAY = "2029-12-31";
const REASON = "helps with the medicines";

/** The page of one of the two. */
class Person extends Screen {
  static async of(browser, device) {
    const screen = await super.of(browser, device);
    const person = new Person(screen.page);
    person.device = device;
    return person;
  }

  link(id, args) {
    return this.page.getByRole("link", { name: t(id, args), exact: true }).first();
  }

  /** From the record to "Who sees this record". */
  async toMembers() {
    await visit(this.page, this.device, "/record");
    await this.link("members-link").click();
    await this.heading("members-title", {}, 1).waitFor();
  }

  /** From whose record is open to "Open an invitation". */
  async toInvitation() {
    await visit(this.page, this.device, "/");
    await this.page.locator(".person-button").click();
    await this.press("invitation-title");
    await this.heading("invitation-title", {}, 1).waitFor();
  }

  tick(id) {
    return this.page.getByRole("checkbox", { name: new RegExp(`^${t(id)}`) }).check();
  }

  /** Fills the form and makes the code. */
  async invite({ sections, until: last }) {
    await this.toMembers();
    await this.link("invite-title").click();
    await this.heading("invite-title", {}, 1).waitFor();
    for (const section of sections) await this.tick(`members-section-${section}`);
    await this.page.getByRole("radio", { name: new RegExp(`^${t("members-may-writer")}`) }).check();
    if (last) await this.page.getByLabel(t("invite-until")).fill(last);
    await this.page.getByLabel(t("invite-reason")).fill(REASON);
    await this.press("invite-make");
    return this.code();
  }

  /** Enters a code and looks at what it offers. */
  async enter(words) {
    await this.page.getByLabel(t("invitation-code"), { exact: true }).fill(words.join(" "));
    await this.press("invitation-open");
  }

  /** The page of an entry, opened from the list of medicines. */
  async toMedicine(title) {
    await visit(this.page, this.device, "/record/medicines");
    await this.page.locator(".medicine-row").filter({ hasText: title }).first().click();
    await this.page.getByRole("heading", { name: title, level: 1 }).waitFor();
  }

  async says(text) {
    const said = await this.page.locator("main").innerText();
    // A list of sections begins with a capital and goes on without.
    expect(said.toLowerCase().includes(text.toLowerCase()), `the page says ${text}: ${said}`);
  }
}

const dose = async (device, chart) => (await device.call("medicines", { chart })).current[0]?.dose;
const shared = async (device) => (await device.call("chart_list")).find((chart) => chart.shared_by);

export default async function ({ actors, browser, claim }) {
  const server = await actors.server();
  const phone = await actors.device("mother");
  const other = await actors.device("daughter");
  const chart = await makeVault(phone, { name: "Ratna Dewi", deviceName: "Phone of Ratna" });
  await makeVault(other, { name: "Laras", born: "1988-03-14", deviceName: "Phone of Laras" });
  await connect(phone, server);
  await connect(other, server);
  const medicine = await add(phone, chart, "medication-statement", {
    name: "Amlodipine", dose: "5", "dose-unit": "mg", frequency: "once a day", status: "active",
  });
  await add(phone, chart, "note", { text: "Slept badly, worried" });
  const mother = await Person.of(browser, phone);
  const daughter = await Person.of(browser, other);
  let code;

  await claim("nobody_but_oneself_sees_a_new_record", async () => {
    await mother.toMembers();
    await mother.heading("members-empty-title", {}, 2).waitFor();
    await mother.reads("members-online");
    await mother.look("nobody but oneself");
    return mother.note();
  }, mother.page);

  await claim("nobody_is_let_in_before_a_part_is_chosen", async () => {
    await mother.link("invite-title").click();
    await mother.heading("invite-title", {}, 1).waitFor();
    equal(await mother.page.locator('input[type="checkbox"]:checked').count(), 0, "nothing is chosen for the person");
    await mother.press("invite-make");
    await mother.reads("invite-sections-missing");
    await mother.look("nothing chosen");
    equal((await phone.call("member_status")).phase, "none", "and no code was made");
    code = await mother.invite({ sections: ["medications", "measurements"], until: LAST_DAY });
    equal(code.server, server.url, "the code stands with its server");
    await mother.look("code shown");
    return mother.note();
  }, mother.page);

  await claim("a_code_stays_when_the_page_is_left_and_goes_with_stop", async () => {
    await visitByLinks(mother);
    equal((await mother.code()).words, code.words, "the same words");
    await mother.press("pair-stop");
    await mother.page.getByRole("button", { name: t("invite-make"), exact: true }).waitFor();
    await daughter.toInvitation();
    await daughter.enter(code.words);
    // Whether it is refused at once or when it is answered: it leads nowhere.
    const offered = daughter.page.getByRole("button", { name: t("invitation-accept"), exact: true });
    await daughter.page.locator(".error-block").or(offered).first().waitFor();
    if ((await offered.count()) > 0) {
      await offered.click();
      await daughter.heading("invitation-ended", {}, 2).waitFor();
    }
    await daughter.look("a code that was stopped");
    equal((await other.call("chart_list")).length, 1, "nothing came");
    return `${mother.note()}; ${daughter.note()}`;
  }, mother.page);

  await claim("an_invitation_says_what_it_offers_before_anything_is_accepted", async () => {
    code = await mother.invite({ sections: ["medications", "measurements"], until: LAST_DAY });
    const wrong = [...code.words];
    wrong[3] = wrong[3] === "abacus" ? "abdomen" : "abacus";
    await daughter.toInvitation();
    await daughter.look("before");
    await daughter.enter(wrong);
    await daughter.page.locator(".error-block").waitFor();
    await daughter.look("wrong word");
    await daughter.enter(code.words);
    await daughter.heading("invitation-from", { name: "Ratna Dewi", of: "Ratna Dewi" }, 2).waitFor();
    for (const text of [t("members-section-medications"), t("members-you-writer"), "2029", REASON]) await daughter.says(text);
    equal(await daughter.page.getByLabel(t("invitation-name"), { exact: true }).inputValue(), "Laras", "her own name stands there");
    await daughter.look("offered");
    equal((await other.call("chart_list")).length, 1, "nothing came yet");
    return daughter.note();
  }, daughter.page);

  await claim("a_no_ends_it_on_both", async () => {
    await daughter.press("invitation-accept");
    await daughter.heading("invitation-waiting", { name: "Ratna Dewi" }, 2).waitFor();
    await daughter.look("waiting");
    await mother.page.getByText(t("invite-asking-text")).waitFor();
    await mother.says("Laras");
    await mother.look("asking");
    await mother.press("invite-refuse");
    await mother.page.getByRole("button", { name: t("invite-make"), exact: true }).waitFor();
    await daughter.heading("invitation-ended", {}, 2).waitFor();
    await daughter.look("not let in");
    equal((await other.call("chart_list")).length, 1, "nothing came");
    equal((await phone.call("member_list", { chart })).members.filter((member) => !member.own).length, 0, "and nobody is a member");
    return `${mother.note()}; ${daughter.note()}`;
  }, daughter.page);

  let theirs;
  await claim("a_yes_brings_the_chosen_parts_and_nothing_of_the_others", async () => {
    code = await mother.invite({ sections: ["medications", "measurements"], until: LAST_DAY });
    await daughter.press("invitation-other");
    await daughter.enter(code.words);
    await daughter.press("invitation-accept");
    await mother.page.getByRole("button", { name: t("invite-approve", { name: "Laras" }), exact: true }).click();
    await mother.heading("invite-done", { name: "Laras" }, 2).waitFor();
    await mother.look("let in");
    await daughter.heading("invitation-done", { name: "Ratna Dewi" }, 2).waitFor();
    await daughter.look("was let in");
    await daughter.press("invitation-read", { name: "Ratna Dewi" });
    await daughter.heading("record-title", {}, 1).waitFor();
    await until(async () => {
      await settle(phone, other);
      theirs = await shared(other);
      return theirs && (await rows(other, theirs.chart)).length > 0;
    }, "the shared record has its medicine");
    equal([theirs.shared_by, theirs.writes.toSorted()], ["Ratna Dewi", ["measurements", "medications"]], "who shares it, and what may be written");
    equal((await rows(other, theirs.chart)).map((row) => row.title), ["Amlodipine"], "the medicine and not the note");
    await visit(daughter.page, other, "/record");
    await daughter.reads("shared-by", { name: "Ratna Dewi" });
    await daughter.says(t("members-you-writer"));
    await daughter.look("a shared record");
    return `${mother.note()}; ${daughter.note()}`;
  }, daughter.page);

  await claim("the_daughter_changes_a_dose_and_the_mother_reads_it_with_her_name", async () => {
    await visit(daughter.page, other, "/record/add/new");
    equal(await daughter.page.locator(".choice-link").count(), 2, "a reading and a medicine can be added, no note, no allergy, no file");
    await daughter.toMedicine("Amlodipine");
    await daughter.link("entry-edit").click();
    await daughter.page.getByLabel(t("form-dose")).first().fill("10");
    await daughter.press("edit-save");
    await until(async () => {
      await settle(phone, other);
      return (await dose(phone, chart)) === "10 mg";
    }, "the dose is there");
    await mother.toMedicine("Amlodipine");
    // Also what stands folded: who wrote each value is in the history.
    await until(async () => (await mother.page.locator("main").textContent()).includes("Laras"), "the page names her");
    await mother.look("an entry that she changed");
    const { history } = await phone.call("entry_get", { chart, entry: medicine });
    expect(JSON.stringify(history).includes("Laras"), "the history names her");
    return `${mother.note()}; ${daughter.note()}`;
  }, mother.page);

  await claim("the_list_says_what_she_sees_and_fits_with_large_text", async () => {
    await mother.toMembers();
    await mother.page.getByRole("heading", { name: "Laras", exact: true }).waitFor();
    for (const text of [t("members-role-writer"), t("members-state-member"), REASON, "2029"]) await mother.says(text);
    await mother.look("one member");
    const settings = await phone.call("settings_get");
    try {
      for (const language of ["en", "id"]) {
        await phone.call("settings_set", { ...settings, display: { ...settings.display, text_percent: 200, language } });
        for (const route of ["/record/members", "/record/members/invite", "/invitation"]) {
          await visit(mother.page, phone, route);
          await fits(mother.page);
          await readable(mother.page);
        }
      }
    } finally {
      await phone.call("settings_set", settings);
    }
    return mother.note();
  }, mother.page);

  await claim("one_part_ends_and_the_other_goes_on", async () => {
    await mother.toMembers();
    await mother.press("members-remove", { name: "Laras" });
    await mother.page.getByRole("dialog").getByText(t("remove-text", { name: "Laras" })).waitFor();
    await mother.look("before removing");
    await mother.page.getByRole("checkbox", { name: t("members-section-medications") }).uncheck();
    await mother.press("remove-do");
    await until(async () => {
      await settle(phone, other);
      return JSON.stringify((await shared(other))?.writes) === '["medications"]';
    }, "she writes medicines only");
    await visit(daughter.page, other, "/record/add/new");
    equal(await daughter.page.locator(".choice-link").count(), 1, "a medicine and nothing else");
    await edit(other, theirs.chart, medicine, { dose: "7.5" });
    await until(async () => {
      await settle(phone, other);
      return (await dose(phone, chart)) === "7.5 mg";
    }, "what she may still write arrives");
    return mother.note();
  }, mother.page);

  await claim("who_was_removed_is_told_keeps_what_was_read_and_cannot_edit", async () => {
    await mother.toMembers();
    await mother.press("members-remove", { name: "Laras" });
    await mother.page.getByRole("dialog").getByLabel(t("remove-reason")).fill("does it herself again");
    await mother.press("remove-do");
    await until(async () => {
      await settle(phone, other);
      return (await shared(other))?.ended === "removed";
    }, "she hears of it");
    await edit(phone, chart, medicine, { dose: "2.5" });
    await settle(phone, other);
    equal(await dose(other, theirs.chart), "7.5 mg", "what she read stays, and nothing new comes");
    await visit(daughter.page, other, "/record");
    await daughter.reads("shared-ended-removed", { name: "Ratna Dewi" });
    await daughter.reads("shared-ended-stays");
    await daughter.look("ended");
    equal(await daughter.page.getByRole("link", { name: t("record-add-short") }).count(), 0, "nothing can be added");
    await daughter.toMedicine("Amlodipine");
    equal(await daughter.page.getByRole("link", { name: t("entry-edit"), exact: true }).count(), 0, "nor changed");
    const refused = await edit(other, theirs.chart, medicine, { dose: "99" }).then(() => "taken", (error) => error.code);
    expect(refused !== "taken", "nor by a command of the page");
    await settle(phone, other);
    equal(await dose(phone, chart), "2.5 mg", "the mother's record is as she wrote it");
    await mother.toMembers();
    await mother.page.locator("details summary").click();
    await mother.says(t("members-state-removed"));
    await mother.look("somebody removed");
    return `${mother.note()}; ${daughter.note()}`;
  }, daughter.page);

  await claim("who_leaves_is_listed_as_left", async () => {
    await letIn(phone, other, { chart, sections: ["medications"], role: "reader", name: "Laras" });
    const again = await until(async () => {
      await settle(phone, other);
      return (await other.call("chart_list")).find((one) => one.shared_by && !one.ended);
    }, "she is back");
    await choose(daughter.page, again.chart);
    await daughter.toMembers();
    await daughter.press("members-leave");
    await daughter.page.getByRole("dialog").getByText(t("leave-text")).waitFor();
    await daughter.look("before leaving");
    await daughter.press("leave-do");
    await until(async () => {
      await settle(other, phone);
      return (await other.call("chart_list")).find((one) => one.chart === again.chart)?.ended === "left";
    }, "it has ended for her");
    await visit(daughter.page, other, "/record");
    await daughter.reads("shared-ended-left");
    await until(async () => {
      await settle(other, phone);
      const all = (await phone.call("member_list", { chart })).members.flatMap((member) => member.sections);
      return all.some((section) => section.state === "left");
    }, "and the mother's list says so");
    await settled(mother.page);
    return daughter.note();
  }, daughter.page);

  await mother.page.context().close();
  await daughter.page.context().close();
}

/** Away from the code and back by the pages' own links, without a reload. */
async function visitByLinks(person) {
  await person.page.locator(".page-head .icon-link").click();
  await person.heading("members-title", {}, 1).waitFor();
  await person.link("invite-title").click();
  await person.heading("invite-title", {}, 1).waitFor();
}
