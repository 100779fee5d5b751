/** Debian's Mosquitto as a broker with certificates on both sides: a process that can be stopped and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";

/** All PEM. */
export interface MosquittoCertificates {
  readonly root: string;
  readonly certificate: string;
  readonly privateKey: string;
}

export interface MosquittoOptions extends MosquittoCertificates {
  /** Where its configuration, certificates and database go; made when it is not there. */
  readonly directory: string;
  /** Further lines of its configuration. */
  readonly configuration?: readonly string[];
}

const START_MS = 10_000;

export class Mosquitto {
  readonly port: number;
  readonly #config: string;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #log = "";

  private constructor(port: number, config: string) {
    this.port = port;
    this.#config = config;
  }

  /** Starts it on a free port of 127.0.0.1. Resolves once it takes connections. */
  static async start(options: MosquittoOptions): Promise<Mosquitto> {
    const { directory, root, certificate, privateKey, configuration = [] } = options;
    mkdirSync(directory, { recursive: true });
    const write = (name: string, text: string): string => {
      const path = join(directory, name);
      writeFileSync(path, text);
      return path;
    };
    const port = await freePort();
    const config = write(
      "mosquitto.conf",
      [
        // It would step down to a user that may not read these files.
        "user root",
        `listener ${port} 127.0.0.1`,
        `cafile ${write("root.pem", root)}`,
        `certfile ${write("server.pem", certificate)}`,
        `keyfile ${write("server.key", privateKey)}`,
        "require_certificate true",
        "allow_anonymous true",
        "persistence true",
        `persistence_location ${directory}/`,
        "max_queued_messages 0",
        "set_tcp_nodelay true",
        ...configuration,
        "",
      ].join("\n"),
    );
    const broker = new Mosquitto(port, config);
    await broker.begin();
    return broker;
  }

  /** What it wrote, for a test that failed. */
  get log(): string {
    return this.#log;
  }

  /** Starts it again after a stop. */
  async begin(): Promise<void> {
    const child = spawn("mosquitto", ["-c", this.#config], { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#log = (this.#log + text).slice(-100_000);
    });
    let failed: Error | undefined;
    child.on("error", (error) => {
      failed = error;
    });
    this.#ended = new Promise((resolve) => child.once("close", () => resolve()));
    const deadline = Date.now() + START_MS;
    while (!(await answers(this.port))) {
      if (failed) throw failed;
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill("SIGKILL");
        throw new Error(`mosquitto did not start: ${this.#log}`);
      }
    }
  }

  /** Ends it; with SIGTERM it keeps its sessions and their queues for the next start. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#process?.kill(signal);
    await this.#ended;
  }
}

/** Whether a TLS server is there: one without a certificate is refused, which is an answer too. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
    socket.once("secureConnect", () => {
      socket.destroy();
      resolve(true);
    });
    // Nothing listens yet: not to be asked again before the next turn.
    socket.once("error", (error) => setTimeout(() => resolve(!("code" in error && error.code === "ECONNREFUSED")), 20));
  });
}

/** A port of 127.0.0.1 that was free just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
