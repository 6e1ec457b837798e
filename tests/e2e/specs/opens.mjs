// The page opens under its content security policy, asks nobody else, and the bridge answers only to its token.

import { open, axe } from "../browser.mjs";
import { equal, expect } from "../report.mjs";

export default async function ({ actors, browser, claim }) {
  const device = await actors.device("opens");

  await claim("vault_status_answers_over_the_bridge", async () => {
    const status = await device.call("vault_status");
    equal(status.phase, "missing", "an empty profile has no vault yet");
  });

  await claim("a_call_without_the_token_is_refused", async () => {
    const refusal = await device.call("vault_status", null, { token: "0".repeat(43) }).catch((error) => error);
    equal(refusal.status, 401, "another token opens nothing");
  });

  await claim("a_command_that_does_not_exist_is_refused", async () => {
    const refusal = await device.call("vault_export_keys").catch((error) => error);
    expect(refusal.status >= 400 && refusal.status < 500, `refused, not answered: ${refusal.status}`);
  });

  const page = await open(browser, device.page);
  await claim(
    "the_page_opens_with_one_heading_and_no_trouble",
    async () => {
      await page.getByRole("heading", { level: 1 }).waitFor();
      equal(await page.title(), "Mecum", "the page has its name");
      equal(await page.locator("h1").count(), 1, "one main heading");
      equal(page.trouble, [], "no script error, no blocked resource, no other host");
    },
    page,
  );

  await claim("the_first_page_passes_axe", async () => {
    const found = await axe(page);
    return `axe: ${found.nodes} nodes under ${found.rules} rules, ${found.elements} elements`;
  }, page);
}
