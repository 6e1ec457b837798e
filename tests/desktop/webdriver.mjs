// The real window, driven by WebKitWebDriver itself. No `browserName` in the capabilities: it rejects any.

import net from "node:net";

const SECOND = 1000;

/** A port that nobody has. */
export const freePort = () =>
  new Promise((done, fail) => {
    const server = net.createServer();
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** The driver process; it starts and ends the app, one at a time. */
export class Driver {
  static async start(actors, env) {
    const port = await freePort();
    const program = process.env.MECUM_WEBDRIVER ?? "WebKitWebDriver";
    const { child } = await actors.start(program, [`--port=${port}`, "--host=127.0.0.1"], {
      env: { TAURI_AUTOMATION: "true", TAURI_WEBVIEW_AUTOMATION: "true", NO_AT_BRIDGE: "1", ...env },
      firstLine: false,
    });
    const driver = new Driver();
    Object.assign(driver, { child, base: `http://127.0.0.1:${port}` });
    for (let tries = 0; ; tries += 1) {
      try {
        await driver.send("GET", "/status");
        return driver;
      } catch (error) {
        if (tries === 100) throw new Error(`${program} is not ready: ${error.message}`);
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  }

  async send(method, path, body) {
    const answer = await fetch(`${this.base}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(60 * SECOND),
    });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`${value?.error}: ${value?.message}`);
    return value;
  }

  /** Starts the app and attaches to its window. */
  async open(binary, args) {
    const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": { binary, args } } };
    const { sessionId } = await this.send("POST", "/session", { capabilities });
    const window = new Window(this, sessionId);
    await window.send("POST", "/timeouts", { script: 30 * SECOND, pageLoad: 30 * SECOND, implicit: 0 });
    return window;
  }
}

/** One running app. */
export class Window {
  constructor(driver, session) {
    this.driver = driver;
    this.session = session;
  }

  send(method, path, body) {
    return this.driver.send(method, `/session/${this.session}${path}`, body);
  }

  run(script, ...args) {
    return this.send("POST", "/execute/sync", { script, args });
  }

  /** Calls a command as the interface does; `{ok}` or `{refused}`. */
  invoke(command, args = null) {
    const script = `const [command, args, done] = arguments;
      window.__TAURI_INTERNALS__.invoke(command, { args }).then((ok) => done({ ok }), (refused) => done({ refused }));`;
    return this.send("POST", "/execute/async", { script, args: [command, args] });
  }

  /** Waits until the script gives something true. */
  async until(script, what, ms = 20 * SECOND) {
    const end = Date.now() + ms;
    for (;;) {
      const found = await this.run(script).catch(() => null);
      if (found) return found;
      if (Date.now() > end) throw new Error(`${what}: not within ${ms / SECOND} s; the page says: ${await this.text()}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  text() {
    return this.run("return document.body ? document.body.innerText.slice(0, 600) : ''").catch((error) => error.message);
  }

  async find(css) {
    const element = await this.send("POST", "/element", { using: "css selector", value: css });
    return element[ELEMENT];
  }

  async type(css, text) {
    const id = await this.find(css);
    await this.send("POST", `/element/${id}/value`, { text });
  }

  async click(css) {
    const id = await this.find(css);
    await this.send("POST", `/element/${id}/click`, {});
  }

  /** A picture of the window, for a failure. */
  picture() {
    return this.send("GET", "/screenshot");
  }

  /** Closes the window; the app ends. */
  close() {
    return this.send("DELETE", "");
  }
}
