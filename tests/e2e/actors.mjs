// The processes of a journey: the server, and one bridge per device, each with a folder of its own. Every one is ended
// by its process id when the journey is over, however it ends.

import { spawn, execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = process.env.MECUM_BIN ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "debug");

/** A binary of the development build. */
export const binary = (name) => path.join(bin, name);

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 8_000;

/** Everything that one journey started; `end()` takes it all away again. */
export class Actors {
  #folders = [];
  #processes = [];
  #servers = [];

  /** An empty folder that only this journey knows. */
  folder(name) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), `mecum-${name}-`));
    this.#folders.push(folder);
    return folder;
  }

  /** Starts a program and waits for its first line. */
  async start(program, args, { env = {}, firstLine = true, input = false } = {}) {
    const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: [input ? "pipe" : "ignore", "pipe", "pipe"] });
    this.#processes.push(child);
    const said = [];
    child.stderr.on("data", (data) => said.push(data.toString()));
    child.said = () => said.join("");
    child.ended = new Promise((done) => child.once("exit", (code, signal) => done({ code, signal })));
    if (!firstLine) return { child, line: "" };
    const line = await new Promise((done, fail) => {
      let text = "";
      const late = setTimeout(() => fail(new Error(`${program} was not ready in ${READY_MS_MAX} ms`)), READY_MS_MAX);
      const never = (error) => {
        clearTimeout(late);
        fail(error);
      };
      child.once("error", never);
      child.once("exit", (code) => never(new Error(`${program} ended with ${code}: ${said.join("").slice(-2000)}`)));
      child.stdout.on("data", (data) => {
        text += data.toString();
        if (text.includes("\n")) {
          clearTimeout(late);
          done(text.split("\n", 1)[0]);
        }
      });
    });
    return { child, line };
  }

  /** Ends one program the polite way, then by force; a program that ended badly is an error. */
  async stop(child) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
      await child.ended;
      clearTimeout(late);
    }
    this.#processes = this.#processes.filter((other) => other !== child);
  }

  /** `mecum-server` on a free port of loopback. */
  async server(folder = this.folder("server"), listen = "127.0.0.1:0") {
    const { child, line } = await this.start(binary("mecum-server"), ["--data", folder, "--listen", listen]);
    this.#servers.push(child);
    const url = line.match(/http:\/\/[0-9.:]+/)?.[0];
    if (!url) throw new Error(`mecum-server told no address: ${line}`);
    const enrolCode = async (more = []) => {
      const { stdout } = await promisify(execFile)(binary("mecum-server"), ["enrol", "--data", folder, ...more]);
      return stdout.trim();
    };
    return { child, url, folder, enrolCode, log: () => child.said(), stop: () => this.stop(child) };
  }

  /** What every server of this journey has logged, also those that were stopped. */
  serverLogs() {
    return this.#servers.map((child) => child.said()).join("");
  }

  /** One device: a bridge over a profile folder. */
  async device(name, { profile = this.folder(name), server, env } = {}) {
    const args = ["--profile", profile, "--port", "0", ...(server ? ["--server", server] : [])];
    const { child, line } = await this.start(binary("mecum-bridge"), args, { env });
    const { url, token } = JSON.parse(line);
    return new Device(this, child, profile, url, token);
  }

  /** Makes the demo profile; the folder and its passphrase. */
  async demo(server, { profile = this.folder("demo"), seed = "7" } = {}) {
    const args = ["--profile", profile, "--make-demo", "--seed", seed, ...(await this.#connect(server))];
    const { stdout } = await promisify(execFile)(binary("mecum-bridge"), args, { cwd: root, maxBuffer: 1 << 24 });
    return { profile, passphrase: JSON.parse(stdout).passphrase };
  }

  async #connect(server) {
    return server ? ["--server", server.url, "--code", await server.enrolCode()] : [];
  }

  /** Ends everything. */
  async end() {
    for (const child of [...this.#processes].reverse()) await this.stop(child);
    for (const folder of this.#folders) fs.rmSync(folder, { recursive: true, force: true });
    this.#folders = [];
  }
}

/** A refused call, with the error code that a screen would act on. */
export class Refusal extends Error {
  constructor(status, body) {
    super(`${status} ${body.code ?? ""} ${body.message_id ?? ""}`);
    this.status = status;
    this.code = body.code;
    this.body = body;
  }
}

/** One device as a person holds it: its page for the browser, its commands for arranging and checking. */
export class Device {
  constructor(actors, child, profile, url, token) {
    Object.assign(this, { actors, child, profile, token });
    this.page = url.includes("#") ? url : `${url}#token=${token}`;
    this.origin = new URL(url).origin;
  }

  /** Calls a command of the contract; a refusal is thrown. */
  async call(command, args = null, { token = this.token } = {}) {
    const answer = await fetch(`${this.origin}/api/${command}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(args),
    });
    const text = await answer.text();
    let body = {};
    try {
      body = text === "" ? null : JSON.parse(text);
    } catch {
      body = { message_id: text.slice(0, 200) };
    }
    if (!answer.ok) throw new Refusal(answer.status, body ?? {});
    return body;
  }

  stop() {
    return this.actors.stop(this.child);
  }
}
