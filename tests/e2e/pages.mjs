// Ways about the pages that every spec shares.

import { expect } from "./report.mjs";

/** Waits until the page has its heading and has stopped changing; a page that never does is an error. */
export async function settled(page, { quiet = 250, most = 20_000 } = {}) {
  await page.locator("h1").first().waitFor();
  await page.evaluate(
    ({ quiet, most }) =>
      new Promise((done, fail) => {
        const finish = (end) => {
          watcher.disconnect();
          clearTimeout(timer);
          clearTimeout(limit);
          end();
        };
        const busy = () => document.querySelector('[aria-busy="true"]') !== null;
        let timer = setTimeout(check, quiet);
        function check() {
          if (busy()) timer = setTimeout(check, quiet);
          else finish(done);
        }
        const watcher = new MutationObserver(() => {
          clearTimeout(timer);
          timer = setTimeout(check, quiet);
        });
        watcher.observe(document.documentElement, { subtree: true, childList: true, attributes: true, characterData: true });
        const late = () => fail(new Error(`${location.pathname} ${busy() ? "is still busy" : "still changes"} after ${most} ms`));
        const limit = setTimeout(() => finish(late), most);
      }),
    { quiet, most },
  );
}

/** Opens a page of the app by its address, in the same tab, so that the tab keeps its token. */
export async function visit(page, device, route) {
  await page.goto(`${device.origin}${route}`);
  await settled(page);
}

/** Makes `chart` the one that the pages are about, as choosing it in the person bar does. */
export async function choose(page, chart) {
  await settled(page);
  await page.evaluate((chart) => sessionStorage.setItem("mecum-chart", chart), chart);
}

/** Presses Tab through the whole page: everything that can be used is reached, is visible, and has a name. */
export async function walk(page) {
  const wanted = await page.evaluate(() => {
    const usable = "a[href], button:not([disabled]), input:not([disabled]):not([type=hidden]), select:not([disabled]), textarea:not([disabled]), summary, [tabindex='0']";
    let number = 0;
    const groups = new Set();
    for (const element of document.querySelectorAll(usable)) {
      if (element.tabIndex < 0 || !element.checkVisibility({ visibilityProperty: true }) || element.closest("[inert]")) continue;
      // Of a group of radio buttons, Tab reaches one; arrows reach the rest.
      if (element.type === "radio") {
        if (groups.has(element.name)) continue;
        groups.add(element.name);
      }
      element.dataset.walk = element.type === "radio" ? `radio ${element.name}` : String(number);
      number += 1;
    }
    for (const element of document.querySelectorAll("input[type=radio]")) element.dataset.walk = `radio ${element.name}`;
    document.activeElement?.blur();
    return [...new Set([...document.querySelectorAll("[data-walk]")].filter((element) => element.checkVisibility({ visibilityProperty: true })).map((element) => element.dataset.walk))];
  });
  const reached = new Set();
  const dates = await page.locator("input[type=date], input[type=datetime-local]").count();
  // Each part of a date field is a stop of its own.
  for (let press = 0; press < wanted.length + 5 + dates * 6; press += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const box = element.getBoundingClientRect();
      const rings = (one) => one && (getComputedStyle(one).outlineStyle !== "none" || getComputedStyle(one).boxShadow !== "none");
      // A box around a field may carry the ring; of a date field, the browser marks the part that has the focus.
      const ring = rings(element) || rings(element.parentElement) || ["date", "datetime-local"].includes(element.type);
      const label = element.getAttribute("aria-label") ?? element.getAttribute("aria-labelledby") ?? (element.labels?.length ? "label" : element.textContent?.trim());
      return { walk: element.dataset.walk ?? null, seen: box.width > 0 && box.height > 0, ring, label, html: element.outerHTML.slice(0, 120) };
    });
    if (!at) continue;
    expect(at.seen, `the focus is on something that can be seen: ${at.html}`);
    expect(at.label, `what has the focus has a name: ${at.html}`);
    expect(at.ring, `the focus shows: ${at.html}`);
    if (at.walk !== null) reached.add(at.walk);
  }
  const missed = wanted.filter((name) => !reached.has(name));
  if (missed.length > 0) {
    const html = await page.evaluate((names) => names.map((name) => document.querySelector(`[data-walk="${name}"]`)?.outerHTML.slice(0, 120)), missed.slice(0, 5));
    throw new Error(`Tab does not reach ${missed.length} of ${wanted.length}: ${html.join(" | ")}`);
  }
  return wanted.length;
}
