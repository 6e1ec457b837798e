// A patient, a hospital's desk, the hospital's own program and a server, each a process: connecting by the code of the desk, a visit that
// is asked for without a network and booked once the desk confirms it, and a complaint with its receipt, answer and outcome.

import fs from "node:fs";
import path from "node:path";

import { connect, makeVault, until } from "../arrange.mjs";
import { binary } from "../actors.mjs";
import { settled, visit } from "../pages.mjs";
import { equal, expect } from "../report.mjs";
import { t } from "../words.mjs";
import { Screen } from "./pairing.mjs";

const HOSPITAL = "RS Tirta Asih";
const STAFF = "Sari Utami";
const DOCTOR = "dr. Hendra Wijaya";
const HAPPENED = "Two hours in the corridor and no chair";
const DAY_MS = 24 * 60 * 60 * 1000;

/** What the hospital publishes: open at any time, so that no answer waits for a morning. */
function directory() {
  const rung = (name, outside = null) => ({ name, answer_minutes: 480, outcome_minutes: 2400, outside });
  const start = Math.floor(Date.now() / DAY_MS) * DAY_MS + 10 * DAY_MS + 2 * 60 * 60 * 1000;
  const slot = (n) => ({
    service: "internal",
    slot: { id: `${n}`.repeat(32), starts_ms: start + n * 1_800_000, minutes: 20, practitioner: DOCTOR, location: "Room 204" },
  });
  return {
    name: { id: HOSPITAL },
    hours: { zone: "WIB-7", week: Array(7).fill([{ from: 0, to: 1440 }]), closed: [] },
    services: [{ code: "internal", name: { en: "Internal medicine", id: "Penyakit dalam" }, about: { en: "Fast from 23:00." } }],
    practitioners: [{ name: DOCTOR, services: ["internal"], languages: ["id"] }],
    slots: [slot(1), slot(2)],
    ladders: [{ kind: "complaint", rungs: [rung("Patient relations"), rung("Ombudsman", "0274 1234")] }],
    pledge: { en: "Nobody is treated worse for complaining." },
  };
}

class Person extends Screen {
  static async of(browser, device) {
    const person = new Person((await super.of(browser, device)).page);
    person.device = device;
    return person;
  }

  to(route) {
    return visit(this.page, this.device, route);
  }

  /** Waits for words, asking again by opening the page anew: what comes from others comes when it comes. */
  async shows(words, route = new URL(this.page.url()).pathname) {
    await until(async () => {
      if (await this.page.getByText(words).first().isVisible()) return true;
      await this.to(route);
      return this.page.getByText(words).first().isVisible();
    }, `${route} shows ${words}`, 40_000);
  }
}

export default async function ({ actors, browser, claim }) {
  let server = await actors.server();
  const [desk, phone] = [await actors.device("desk"), await actors.device("phone")];
  await makeVault(desk, { name: HOSPITAL, deviceName: "Desk" });
  const chart = await makeVault(phone, { name: "Ratna Dewi", deviceName: "Phone of Ratna" });
  await desk.call("server_connect", { url: server.url, code: await server.enrolCode(["--hospital"]) });
  await connect(phone, server);
  const folder = actors.folder("hospital");
  const file = path.join(folder, "directory.json");
  fs.writeFileSync(file, JSON.stringify(directory()));
  const staff = await Person.of(browser, desk);
  const patient = await Person.of(browser, phone);

  await claim("the_hospitals_program_joins_the_account_of_its_desk_and_publishes", async () => {
    const { words } = await desk.call("pair_offer");
    const args = ["hospital", "--data", path.join(folder, "vault"), "--directory", file, "--server", server.url, "--join", words.join(" "), "--language", "en"];
    await actors.start(binary("mecum-server"), args, { firstLine: false });
    await until(async () => (await desk.call("pair_status")).phase === "asking", "the program asks to join");
    await desk.call("pair_approve");
    await until(async () => (await desk.call("pair_status")).phase === "done", "it is a device of the account");
  });

  await claim("a_patient_connects_by_the_code_that_the_desk_shows_and_its_yes", async () => {
    await staff.to("/desk");
    await staff.page.getByLabel(t("desk-sign-in-name"), { exact: true }).fill(STAFF);
    await staff.press("desk-sign-in");
    await staff.reads("desk-at", { name: STAFF });
    await staff.look("signed in");
    await staff.to("/desk/codes");
    await staff.press("desk-code-here");
    const { words } = await staff.code();
    await staff.look("code shown");
    await patient.to("/hospitals/connect");
    await patient.page.getByLabel(t("hospitals-code"), { exact: true }).fill(words.join(" "));
    await patient.press("hospitals-code-open");
    await patient.reads("hospitals-means-not");
    await patient.look("what connecting means");
    await patient.press("hospitals-connect-do", { name: "Ratna Dewi" });
    await patient.reads("hospitals-waiting", { name: HOSPITAL });
    await staff.reads("desk-asks", { from: "Ratna Dewi", whose: "Ratna Dewi" });
    await staff.look("who asks");
    await staff.press("desk-yes");
    await patient.heading("hospitals-done", { name: HOSPITAL }, 2).waitFor({ timeout: 40_000 });
    await patient.look("connected");
    return `${patient.note()}; desk: ${staff.note()}`;
  }, patient.page);

  await claim("what_the_hospital_publishes_is_read_and_a_visit_asked_for_without_a_network", async () => {
    await until(async () => (await phone.call("hospital_list")).length === 1, "the notice came by itself", 60_000);
    await server.stop();
    await until(async () => (await phone.call("sync_now")).phase === "offline", "the network is cut");
    await patient.to("/visits/ask");
    await patient.reads("ask-offline");
    await patient.page.getByLabel(t("ask-service"), { exact: true }).selectOption("internal");
    await patient.page.locator(".ask-day .chip").first().click();
    await patient.page.getByLabel(new RegExp(`^${t("ask-reason")}`)).fill("Sugar control");
    await patient.look("asking offline");
    await patient.press("ask-save");
    await patient.reads("visit-asked-here");
    equal(await patient.page.locator(".date-tile:not(.date-tile-open)").count(), 0, "nothing looks booked");
    await patient.look("asked offline");
    return patient.note();
  }, patient.page);

  await claim("the_desk_confirms_and_the_visit_is_booked_on_both_sides", async () => {
    server = await actors.server(server.folder, new URL(server.url).host);
    await until(async () => (await desk.call("desk_queue", { part: "visits" })).total === 1, "the request is in the queue", 60_000);
    await staff.to("/desk");
    await staff.page.getByRole("link", { name: "internal", exact: true }).click();
    await staff.press("desk-confirm");
    await staff.page.locator(".desk-form").getByRole("button", { name: new RegExp(DOCTOR) }).first().click();
    await patient.to("/visits");
    await patient.shows(t("visit-confirmed"));
    equal(await patient.page.locator(".date-tile:not(.date-tile-open)").count(), 1, "with its date");
    await patient.look("booked");
    return patient.note();
  }, patient.page);

  await claim("a_complaint_is_received_with_a_name_answered_and_settled", async () => {
    await patient.to("/messages/write/complaint");
    await patient.page.getByLabel(t("messages-field-complaint"), { exact: true }).fill(HAPPENED);
    await patient.look("complaint");
    await patient.press("messages-send", { name: "Ratna Dewi" });
    await patient.page.getByRole("heading", { name: HAPPENED, level: 1 }).waitFor();
    await patient.shows(t("talk-handler", { name: "Patient relations" }));
    await patient.look("received");
    await staff.to("/desk");
    await staff.shows(HAPPENED, "/desk");
    await staff.page.getByRole("link", { name: HAPPENED, exact: true }).click();
    await staff.press("desk-take");
    await staff.press("desk-outcome");
    await staff.page.getByLabel(t("desk-outcome"), { exact: true }).fill("There are chairs now.");
    await staff.page.getByLabel(new RegExp(`^${t("desk-changed")}`)).fill("Twelve chairs in the corridor");
    await staff.look("outcome");
    await staff.press("desk-send", { name: STAFF });
    await patient.shows(t("act-changed", { changed: "Twelve chairs in the corridor" }));
    await patient.shows(new RegExp(`${STAFF} \\(`));
    await patient.look("outcome");
    await patient.press("talk-settle");
    await patient.shows(t("messages-phase-settled"));
    return patient.note();
  }, patient.page);

  await claim("a_hospital_that_was_left_is_written_to_no_more_and_what_was_said_stays", async () => {
    await patient.to("/hospitals");
    await patient.page.getByRole("button", { name: new RegExp(`^${t("hospitals-leave")} `) }).click();
    await patient.press("hospitals-leave-do");
    await patient.reads("hospitals-left");
    await patient.to("/messages");
    await patient.page.getByText(HAPPENED).first().waitFor();
    await patient.page.getByText(HAPPENED).first().click();
    await settled(patient.page);
    expect((await patient.page.locator(".action-bar").count()) === 0, "nothing can be said any more");
    const care = await phone.call("care_list", { chart });
    equal(care.threads.length, 2, "both conversations are still here");
    return patient.note();
  }, patient.page);
}
