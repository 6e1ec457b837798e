// The states of pages that come about between people, over days, or by damage: drawn by the real pages from the answers that the
// client would give then. What leads to them is shown by the specs; here they are only to be looked at, in every size and language.

import { settled, visit } from "./pages.mjs";
import { t } from "./words.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;
const WORDS = "lantern maple orbit quiet river stone".split(" ");
const CODE = "abacus lantern maple orbit quiet saddle velvet window yellow zebra anchor basket".split(" ");
const SERVER = "https://mecum.example";
const ACCOUNT = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const ENDS = "2029-12-31";

const now = Date.now();
const ago = (days) => now - days * DAY_MS;
const offer = { words: CODE, qr: "mecum:member?s=https://mecum.example&k=not-a-key", server: SERVER, ends_ms: now + 540_000 };
const pair = (phase, other = null) => ({ phase, other, message_id: null });

const section = (name, role, state, days, more = {}) => ({
  section: name, role, verbs: role === "reader" ? ["read"] : ["read", "write"], until: null, reason: null, state, at_ms: ago(days), ended_ms: null, ...more,
});
const member = (name, sections, more = {}) => ({ account: name.toLowerCase(), name, own: false, owner: false, sections, ...more });
const helps = { until: ENDS, reason: "helps with the medicines" };
const members = (real) => ({
  ...real,
  members: [
    ...real.members.filter((one) => one.own),
    member("Ani", [section("medications", "writer", "member", 57, helps), section("measurements", "writer", "member", 57, helps), section("results", "reader", "member", 57)]),
    member("Budi", [section("visits", "reader", "joining", 0)]),
    member("Sari", [section("diary", "reader", "leaving", 9)]),
    member("Lina", [section("diary", "reader", "removed", 30, { ended_ms: ago(3), reason: "moved away" })]),
  ],
});
const shared = (charts, chart) => charts.map((one) => (one.chart === chart ? { ...one, shared_by: "Ani", writes: ["medications"] } : one));
const invitation = { from: "Ani", name: "Pak Harun", sections: ["medications", "results"], role: "writer", until: ENDS, reason: "while I travel", ends_ms: now + 540_000 };

const found = {
  phase: "done", percent: 100, looked: 12_480, ended_ms: now, message_id: null,
  findings: [{ kind: "record", count: 2, mend: "server" }, { kind: "lists", count: 14, mend: "here" }, { kind: "unsent", count: 1, mend: "backup" }],
};
const backup = (days, aside) => ({ backup: `mecum-${days}.backup`, made_ms: ago(days), bytes: 4_180_000, aside });
const backups = { folder: "/home/laras/Documents/Mecum backups", backups: [backup(2, false), backup(45, true)], last_ms: ago(2), phase: "none", percent: 0, message_id: null };
const mended = (real) => ({ ...real, phase: "done", found: found.findings, left: [{ kind: "unsent", count: 1, mend: "backup" }], entries: 1214, unsent: 3, aside: "vault-set-aside.sqlite" });

const lost = (real) => ({ ...real, phase: "no-server", server: null, message_id: "error-server-address" });

const notice = (message_id) => (real) => ({ ...real, sync: { ...real.sync, notices: [{ message_id, who: "", at_ms: ago(1) }] } });

const erasure = (kind, phase, more = {}) => ({
  erasure: `${kind}-${phase}`, entry: null, title: null, section: "diary", kind, phase, reason: "", at_ms: ago(1), by: "", late: 0, message_id: null, readers: [], ...more,
});
const look = {
  may: true, message_id: null, sensitive: false, from_file: true, waits: true, own_devices: 2,
  readers: [{ account: "a", name: "Ani", state: "member" }, { account: "b", name: "Lina", state: "removed" }],
};

const helper = (number, name, state, answered_as = null) => ({ number, name, account: null, answered_as, state, at_ms: ago(1), ends_ms: null });
const helpers = (more = {}) => ({
  set: true, made_here: true, stored: true, ready: true, made_ms: ago(20), wait_days: 7, account: ACCOUNT, server: SERVER, people: [],
  helpers: [helper(1, "Ani", "kept"), helper(2, "Budi", "asking", "Budi S."), helper(3, "Sari", "declined")], ...more,
});
const part = (from, state) => ({ account: `00112233445566778899aabbccddeeff${from}`, from, number: 1, state, at_ms: ago(20), server: SERVER });
const asked = { asked_ms: ago(2), released_ms: now + 5 * DAY_MS, words: WORDS, others: 0, stopping: false };
const restore = (phase, more = {}) => ({
  phase, server: SERVER, account: ACCOUNT, device_name: "New phone", words: WORDS, asked_ms: ago(2), released_ms: now + 5 * DAY_MS, again_ms: null,
  parts: [{ number: 1, from: "Ani", wrong: false }], needed: 2, message_id: null, ...more,
});
const released = { asked_ms: ago(7), released_ms: now, parts: [{ number: 1, from: "Ani", wrong: false }, { number: 3, from: "Sari", wrong: false }] };

/** Presses the button, or the link that is written as a button, of a text. */
const press = (id, args) => async (page, language) => {
  await page.getByRole("button", { name: t(id, args, language), exact: true }).first().click();
  await settled(page);
};
const inTurn = (...steps) => async (page, language) => {
  for (const step of steps) await step(page, language);
};
/** Fills the one passphrase and goes on. */
const typed = (id) => async (page, language) => {
  await page.getByLabel(t("unlock-passphrase", {}, language), { exact: true }).fill("lantern maple orbit quiet saddle velvet");
  await press(id)(page, language);
};
const code = async (page, language) => {
  await page.getByLabel(t("invitation-code", {}, language), { exact: true }).fill(CODE.join(" "));
  await press("invitation-open")(page, language);
};

/** States over the open record; `chart` is open, `note` an entry of the family. */
export const openStates = ({ chart, note }) => {
  const entry = `/record/entry/${encodeURIComponent(note)}`;
  const waits = erasure("erase", "waits", { chart, entry: note });
  return [
    { name: "members-some", route: "/record/members", answers: { member_list: members } },
    { name: "members-remove", route: "/record/members", answers: { member_list: members }, act: press("members-remove", { name: "Ani" }) },
    { name: "record-shared", route: "/record", answers: { chart_list: (real) => shared(real, chart) } },
    { name: "record-ended", route: "/record", answers: { chart_list: (real) => shared(real, chart).map((one) => (one.shared_by ? { ...one, ended: "removed", writes: [] } : one)) } },
    { name: "invite-code", route: "/record/members/invite", answers: { member_status: pair("none"), member_invite: offer }, act: async (page, language) => {
      await page.getByRole("checkbox").first().check();
      await page.unroute("**/api/member_status");
      await page.route("**/api/member_status", (route) => route.fulfill({ json: pair("waiting") }));
      await press("invite-make")(page, language);
    } },
    { name: "invite-asking", route: "/record/members/invite", answers: { member_status: pair("asking", "Laras") } },
    { name: "invitation-offered", route: "/invitation", answers: { invitation_open: invitation, invitation_status: pair("none") }, act: code },
    { name: "invitation-waiting", route: "/invitation", answers: { invitation_status: pair("waiting", "Ani") } },
    { name: "devices-lost-server", route: "/settings/devices", answers: { sync_status: lost } },
    { name: "data-found", route: "/settings/data", answers: { check_status: found, backup_list: backups, mend_status: mended, erasure_list: [erasure("erase", "done", { chart, reason: "about somebody else", by: "Laras", late: 1 }), erasure("to-sensitive", "done", { chart, title: "After the fall" }), waits] } },
    { name: "data-running", route: "/settings/data", answers: { check_status: { ...found, phase: "running", percent: 42, findings: [] }, backup_list: { ...backups, phase: "running", percent: 70 } } },
    { name: "entry-erase", route: entry, answers: { erasure_look: look }, act: press("erase-begin") },
    { name: "entry-move", route: entry, answers: { erasure_look: { ...look, readers: [] } }, act: press("move-do") },
    { name: "entry-not-mine", route: entry, answers: { erasure_look: { ...look, may: false, message_id: "error-not-manager" } }, act: press("erase-begin") },
    { name: "entry-erasing", route: entry, answers: { erasure_list: [waits] }, act: (page) => page.locator(".entry-section").last().scrollIntoViewIfNeeded() },
    { name: "entry-move-refused", route: entry, answers: { erasure_list: [erasure("to-sensitive", "refused", { chart, entry: note, message_id: "error-settle-first" })] }, act: (page) => page.locator(".entry-section").last().scrollIntoViewIfNeeded() },
    { name: "entry-missing", route: "/record/entry/e00112233445566778899aabbccddeeff" },
    { name: "helpers-chosen", route: "/settings/helpers", answers: { helpers_get: helpers({ ready: false }), part_list: [part("Ibu Wati", "kept"), part("Sari", "old")] } },
    { name: "helpers-ready", route: "/settings/helpers", answers: { helpers_get: helpers({ helpers: ["Ani", "Budi", "Sari"].map((name, at) => helper(at + 1, name, "kept")) }), part_list: [] } },
    { name: "helpers-choose", route: "/settings/helpers", answers: { helpers_get: helpers({ set: false, helpers: [], people: [{ account: "a", name: "Ani" }] }) }, act: press("helpers-choose") },
    { name: "helpers-code", route: "/settings/helpers", answers: { helpers_get: helpers({ ready: false, helpers: [helper(1, "Ani", "waiting"), helper(2, "Budi", "chosen"), helper(3, "Sari", "chosen")] }), helpers_code: offer }, act: (page, language) => page.getByRole("button", { name: new RegExp(`^${t("helper-code", {}, language)}`) }).first().click().then(() => settled(page)) },
    { name: "helpers-give", route: "/settings/helpers", answers: { part_list: [part("Ibu Wati", "kept")], part_asked: { account: ACCOUNT, from: "Ibu Wati", device_name: "New phone", words: WORDS } }, act: async (page, language) => {
      await page.getByRole("button", { name: new RegExp(`^${t("part-give", {}, language)}`) }).first().click();
      await page.getByLabel(t("join-code", {}, language), { exact: true }).fill(CODE.join(" "));
      await press("first-continue")(page, language);
    } },
    { name: "home-storage-damaged", route: "/", answers: { home: notice("notice-storage-damaged") } },
    { name: "home-storage-full", route: "/", answers: { home: notice("notice-storage-full") } },
    { name: "home-asked", route: "/", answers: { home: (real) => ({ ...real, helpers_notice: asked }) } },
    { name: "home-asked-by-more", route: "/", answers: { home: (real) => ({ ...real, helpers_notice: { ...asked, others: 2 } }) } },
    { name: "home-stopping", route: "/", answers: { home: (real) => ({ ...real, helpers_notice: { ...asked, stopping: true } }) } },
  ];
};

/** States of an empty device. */
export const emptyStates = () => [
  { name: "restore-kit", act: press("first-restore") },
  { name: "byhelpers-ask", act: press("byhelpers-title") },
  { name: "byhelpers-waiting", answers: { restore_get: restore("waiting") }, act: press("byhelpers-title") },
  { name: "byhelpers-code", answers: { restore_get: restore("waiting"), restore_code: offer }, act: inTurn(press("byhelpers-title"), press("byhelpers-code")) },
  { name: "byhelpers-released", answers: { restore_get: restore("released", released) }, act: press("byhelpers-title") },
  { name: "byhelpers-stopped", answers: { restore_get: restore("stopped", { again_ms: now + 30 * DAY_MS }) }, act: press("byhelpers-title") },
  { name: "byhelpers-offline", answers: { restore_get: restore("waiting", { message_id: "error-offline" }) }, act: press("byhelpers-title") },
  { name: "backup-none", answers: { backup_list: { ...backups, backups: [] } }, act: press("backup-restore-title") },
];

/** States of a device whose vault is locked, damaged or held by another window. */
export const closedStates = () => {
  const phase = (phase) => ({ vault_status: (real) => ({ ...real, phase }) });
  return [
    { name: "closed-damaged", answers: phase("damaged") },
    { name: "closed-in-use", answers: phase("in-use") },
    { name: "closed-examined", answers: { ...phase("damaged"), vault_examine: found }, act: inTurn(press("closed-look"), typed("closed-look-do")) },
    { name: "closed-aside", answers: phase("damaged"), act: press("aside-begin") },
    { name: "unlock-forgotten", act: press("unlock-forgotten") },
    { name: "unlock-backup", answers: { backup_list: backups }, act: press("backup-restore-title") },
  ];
};

/** Brings a page into a state. */
export async function into(page, device, state, language) {
  await page.unrouteAll({ behavior: "ignoreErrors" });
  for (const [command, answer] of Object.entries(state.answers ?? {})) {
    await page.route(`**/api/${command}`, async (route) => {
      const body = typeof answer === "function" ? answer(await (await route.fetch()).json()) : answer;
      await route.fulfill({ json: body });
    });
  }
  await visit(page, device, state.route ?? "/");
  if (state.act) await state.act(page, language);
}
