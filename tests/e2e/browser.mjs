// Chromium as a person would use it: one context per device, every script error and every blocked resource noted.

import fs from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axeSource = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Without these, Chromium looks up hosts of its maker at every start. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
];

export const PHONE = { width: 390, height: 844 };
export const LAPTOP = { width: 1280, height: 800 };

export const launch = () => chromium.launch({ executablePath: process.env.MECUM_CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });

/** Opens a page that notes everything that goes wrong in it; `page.trouble` lists it. */
export async function open(browser, url, { viewport = LAPTOP, colorScheme = "light", locale = "en-GB", reducedMotion = "reduce" } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, locale, reducedMotion });
  const page = await context.newPage();
  page.trouble = [];
  page.on("pageerror", (error) => page.trouble.push(`script: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    // A refused command (a wrong passphrase, say) is an answer, not trouble.
    if (/Failed to load resource/.test(message.text()) && /\/api\//.test(message.location().url)) return;
    page.trouble.push(`console: ${message.text()}`);
  });
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    if (why !== "net::ERR_ABORTED" && !request.url().includes("/api/")) page.trouble.push(`request: ${request.url()} ${why}`);
  });
  page.on("request", (request) => {
    const to = new URL(request.url());
    if (to.protocol.startsWith("http") && to.origin !== new URL(url).origin) page.trouble.push(`left the device: ${to.origin}`);
  });
  page.setDefaultTimeout(15_000);
  await page.goto(url);
  return page;
}

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const HEIGHT_PX_MAX = 12_000;

/** Runs axe over the page; throws on a violation, gives the figures otherwise. */
export async function axe(page) {
  const before = page.viewportSize();
  // At its full height: what only lies under a bar until one scrolls is no target that is too small.
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const grown = height > before.height;
  if (grown) await page.setViewportSize({ width: before.width, height: Math.min(height + 200, HEIGHT_PX_MAX) });
  try {
    return await axeAsItStands(page);
  } finally {
    if (grown) await page.setViewportSize(before);
  }
}

/** What fades in is judged when it is there: on the way its words have no contrast. */
async function settled(page) {
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter((animation) => Number.isFinite(animation.effect?.getComputedTiming().endTime));
    const longest = new Promise((done) => setTimeout(done, 2_000));
    await Promise.race([longest, Promise.all(ending.map((animation) => animation.finished.catch(() => {})))]);
  });
}

async function axeAsItStands(page) {
  await settled(page);
  if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(axeSource);
  const found = await page.evaluate(async (tags) => {
    const result = await globalThis.axe.run(document, { runOnly: { type: "tag", values: tags } });
    const count = (rules) => rules.reduce((sum, rule) => sum + rule.nodes.length, 0);
    return {
      elements: document.querySelectorAll("body *").length,
      nodes: count(result.passes) + count(result.violations) + count(result.incomplete),
      rules: result.passes.length,
      violations: result.violations.map((rule) => ({ id: rule.id, help: rule.help, at: rule.nodes.slice(0, 5).map((node) => `${node.target.join(" ")}: ${(node.failureSummary ?? "").split("\n").slice(1).join(";").trim()}`) })),
    };
  }, TAGS);
  if (found.violations.length > 0) {
    const text = found.violations.map((rule) => `${rule.id} (${rule.help}) at ${rule.at.join(" | ")}`).join("; ");
    throw new Error(`axe: ${text}`);
  }
  if (found.nodes === 0) throw new Error("axe checked nothing");
  return found;
}

/** The page must not scroll sideways at this size. */
export async function fits(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  if (content <= window) return;
  const wide = await page.evaluate((window) => {
    const beyond = [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > window);
    return beyond.at(-1)?.outerHTML.slice(0, 120);
  }, window);
  throw new Error(`the page is ${content} px wide in a window of ${window} px, for ${wide}`);
}

/**
 * Nothing of the page may be hidden by its own bars: they leave half of the window to read in, the last line ends above
 * the tabs, nothing stands below them, and what takes the focus is not under a bar.
 */
export async function readable(page) {
  const wrong = await page.evaluate(() => {
    const found = [];
    const box = (selector) => {
      const element = document.querySelector(selector);
      const at = element?.getBoundingClientRect();
      return at && at.height > 0 ? { element, top: at.top, bottom: at.bottom, height: at.height } : null;
    };
    const stuck = (at) => at && ["sticky", "fixed"].includes(getComputedStyle(at.element).position);
    const bars = () => [box(".person-bar"), box(".tabs"), box(".action-bar")].filter(stuck);
    window.scrollTo(0, document.documentElement.scrollHeight / 2);
    const taken = bars().reduce((sum, at) => sum + at.height, 0);
    if (taken > innerHeight / 2) found.push(`the bars take ${Math.round(taken)} of ${innerHeight} px`);
    const tabs = box(".tabs");
    if (tabs && Math.abs(tabs.bottom - innerHeight) > 1) found.push(`the tabs end at ${tabs.bottom} of ${innerHeight} px`);
    window.scrollTo(0, document.documentElement.scrollHeight);
    const lowest = box(".tabs")?.top ?? innerHeight;
    for (const element of document.querySelectorAll("main *")) {
      if (element.children.length > 0 || !element.textContent.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
      if (element.closest(".visually-hidden, option, details:not([open]) > :not(summary)")) continue;
      const at = element.getBoundingClientRect();
      if (at.height > 1 && at.bottom > lowest + 1) found.push(`at the end, "${element.textContent.trim().slice(0, 40)}" is ${Math.round(at.bottom - lowest)} px under the tabs`);
    }
    const usable = "main a[href], main button:not([disabled]), main input:not([disabled]):not([type=hidden]), main select:not([disabled]), main textarea:not([disabled]), main summary, main [tabindex='0']";
    for (const element of document.querySelectorAll(usable)) {
      if (element.tabIndex < 0 || !element.checkVisibility({ visibilityProperty: true })) continue;
      element.focus();
      const at = element.getBoundingClientRect();
      const around = bars().filter((bar) => !bar.element.contains(element));
      const room = innerHeight - around.reduce((sum, bar) => sum + bar.height, 0);
      // What is taller than the room fills it; all else must show where it begins.
      if (at.height > room - 60) continue;
      const [top, bottom] = [at.top, Math.min(at.bottom, at.top + 24)];
      for (const bar of around) {
        if (top < bar.bottom - 1 && bottom > bar.top + 1) {
          found.push(`the focus on "${(element.textContent || element.id).trim().slice(0, 40)}" is under .${bar.element.className}`);
        }
      }
    }
    document.activeElement?.blur();
    return [...new Set(found)];
  });
  if (wrong.length > 0) throw new Error(`${wrong.length} hidden: ${wrong.slice(0, 4).join("; ")}`);
}
