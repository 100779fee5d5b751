/** The doctor at one port: each way in which a port and its wiring fail, staged for real. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attachBusPirate } from "../../../emulator/bus/bus-pirate.ts";
import { openPty, type PtyEndpoint } from "../../../emulator/bus/pty.ts";
import { listenTcp } from "../../../emulator/bus/tcp.ts";
import { attachUart } from "../../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../../emulator/module.ts";
import { openSerialPort } from "../../../host/adapter/serial-port.ts";
import { openLine } from "../../../host/open-port.ts";
import type { ByteDuplex } from "../../../protocol/bus.ts";
import { examined, findingOf, joinTxAndRx, verdicts } from "../../support/doctor.ts";
import { failsWith } from "../../support/errors.ts";
import { linePair } from "../../support/scripted-module.ts";

/** For lines on which nothing will come: the wait is all that a silent line costs. */
const SHORT = { timeoutMs: 30 } as const;
const MAIN = fileURLToPath(new URL("../../../dist/host/cli/main.js", import.meta.url));
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

const SKIPPED = [
  "skipped parity",
  "skipped product",
  "skipped firmware",
  "skipped time",
  "skipped signal",
  "skipped connection",
  "skipped queues",
  "skipped last-send",
  "skipped power-save",
];

let folder: string;
let pty: PtyEndpoint;
let uri: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "doctor-"));
  pty = await openPty({ link: join(folder, "port") });
  uri = `uart:${pty.path}`;
});
afterEach(async () => {
  await pty.close();
  rmSync(folder, { recursive: true });
});

describe.skipIf(process.platform === "win32")("what is no port", () => {
  it("as a folder or a file is not said to be one", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    for (const [path, what] of [
      [folder, "a folder"],
      [file, "a file"],
    ]) {
      const findings = await examined(`uart:${path}`);
      expect(verdicts(findings).slice(0, 2)).toEqual(["problem port", "skipped answer"]);
      expect(findingOf(findings, "port").seen).toBe(`${path} is ${what}, and no port`);
    }
  });

  it.each([
    ["i2c:/dev/i2c-99", "raspi-config nonint do_i2c 0"],
    ["spi:/dev/spidev99.9", "raspi-config nonint do_spi 0"],
  ])("as the bus %s that is not switched on says how to", async (uri, advice) => {
    const finding = findingOf(await examined(uri), "port");
    expect(finding.verdict).toBe("problem");
    expect(finding.advice[0]).toContain(advice);
  });
});

describe.skipIf(process.platform === "win32")("a good port", () => {
  it("passes every check, in order", async () => {
    attachUart(new EmulatedModule(), pty.duplex);
    const findings = await examined(uri);
    expect(verdicts(findings)).toEqual([
      "ok port",
      "ok holder",
      "ok answer",
      "ok parity",
      "ok product",
      "ok firmware",
      "ok time",
      "ok signal",
      "ok connection",
      "ok queues",
      "ok last-send",
      "ok power-save",
    ]);
    expect(findingOf(findings, "answer").seen).toBe("a module answers at 115200 baud: AT, and an echo");
    expect(findingOf(findings, "parity")).toMatchObject({ facts: { echoes: 200, errors: 0 } });
  });

  it("passes over TCP, where there is no file and no rate", async () => {
    const endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
    endpoint.onConnection((duplex) => attachUart(new EmulatedModule(), duplex));
    const findings = await examined(endpoint.uri);
    expect(verdicts(findings).slice(0, 3)).toEqual(["ok port", "ok answer", "ok parity"]);
    expect(findingOf(findings, "answer").seen).toBe("a module answers: AT, and an echo");
    await endpoint.close();
  });
});

describe.skipIf(process.platform !== "linux")("a port that cannot be used", () => {
  it("is not there", async () => {
    const findings = await examined(`uart:${join(folder, "ttyUSB9")}`);
    expect(verdicts(findings)).toEqual(["problem port", "skipped answer", ...SKIPPED]);
    expect(findingOf(findings, "port").seen).toBe(
      `there is no ${join(folder, "ttyUSB9")}: check the name and the cable`,
    );
    expect(findingOf(findings, "port").advice[0]).toContain("`sakuraio ports`");
    expect(findingOf(findings, "parity").seen).toBe('not before "port" is well');
  });

  it("is an adapter that is not plugged in", async () => {
    const findings = await examined("uart:usb:0403:6001", { listPorts: async () => [] });
    expect(verdicts(findings)[0]).toBe("problem port");
    expect(findingOf(findings, "port").seen).toContain("no adapter usb:0403:6001 is plugged in");
  });

  it.skipIf(process.geteuid?.() !== 0)("is forbidden to another user, who is told the group to join", async () => {
    const groups = readFileSync("/etc/group", "utf8")
      .split("\n")
      .map((line) => line.split(":"));
    const [name = "", , gid = ""] = groups.find(([, , id]) => Number(id) > 0 && Number(id) < 65_534) ?? [];
    chmodSync(folder, 0o755);
    chownSync(pty.device, 0, Number(gid));
    chmodSync(pty.device, 0o060);
    // The command line at a place that anybody may read, which the folder of these sources need not be.
    cpSync(dirname(MAIN), join(folder, "cli"), { recursive: true });
    const itself = join(folder, "node_modules", "sakuraio-kit", "package.json");
    mkdirSync(dirname(itself), { recursive: true });
    copyFileSync(new URL("../../../package.json", import.meta.url), itself);
    // access(2) goes by the real user, whom only another process can have.
    const child = spawn(process.execPath, [join(folder, "cli", "main.js"), "doctor", "--port", uri, "--json"], {
      uid: 65_534,
      gid: 65_534,
    });
    const [said] = await Promise.all([text(child.stdout), once(child, "exit")]);
    expect(child.exitCode).toBe(1);
    expect(JSON.parse(said.split("\n")[0] ?? "")).toMatchObject({
      event: "finding",
      check: "port",
      verdict: "problem",
      advice: [`join the group ${name}: \`sudo usermod -a -G ${name} $USER\`, then log out and in again`],
      facts: { exists: true, allowed: false, group: name },
    });
  });

  it("is held by this program", async () => {
    const port = await openSerialPort({ path: pty.path });
    const findings = await examined(uri);
    expect(verdicts(findings).slice(0, 2)).toEqual(["ok port", "problem holder"]);
    expect(findingOf(findings, "holder")).toMatchObject({ facts: { pid: process.pid, locked: true } });
    await port.close();
  });

  it("is held by another program, which is named with its number", async () => {
    const child = spawn(process.execPath, ["-e", HOLD_PORT, pty.path], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(child, "exit");
    await once(child.stdout, "data");
    try {
      const findings = await examined(uri);
      expect(verdicts(findings)).toEqual(["ok port", "problem holder", "skipped answer", ...SKIPPED]);
      expect(findingOf(findings, "holder")).toMatchObject({
        seen: expect.stringMatching(new RegExp(`^\\S+ \\(process ${child.pid}\\) has it open, for itself alone$`)),
        facts: { pid: child.pid, locked: true },
      });
    } finally {
      child.kill();
      await ended;
    }
  });

  it("is an address at which nobody listens", async () => {
    const endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
    await endpoint.close();
    const findings = await examined(endpoint.uri);
    expect(verdicts(findings).slice(0, 2)).toEqual(["problem open", "skipped answer"]);
  });
});

describe.skipIf(process.platform !== "linux")("an FTDI's latency timer", () => {
  it.each([
    [16, "warning"],
    [1, "ok"],
  ] as const)("of %s ms is %s", async (ms, verdict) => {
    const device = join(folder, "sys/bus/usb-serial/devices", basename(pty.device));
    mkdirSync(device, { recursive: true });
    const file = join(device, "latency_timer");
    writeFileSync(file, `${ms}\n`);
    const findings = await examined(uri, { ...SHORT, sys: join(folder, "sys") });
    const finding = findingOf(findings, "latency-timer");
    expect(finding).toMatchObject({ verdict, facts: { ms, file } });
    expect(finding.advice[0]).toBe(ms === 16 ? `echo 1 | sudo tee ${file}` : undefined);
  });
});

describe.skipIf(process.platform === "win32")("a line without a module", () => {
  it("that is silent: what it may be, and that it cannot be told apart", async () => {
    const rates: number[] = [];
    const findings = await examined(uri, {
      ...SHORT,
      onProgress: (progress) => progress.kind === "rate" && rates.push(progress.baudRate),
    });
    expect(verdicts(findings)).toEqual(["ok port", "ok holder", "problem answer", ...SKIPPED]);
    expect(rates).toEqual([9600, 57_600, 38_400, 19_200, 230_400]);
    const { seen, advice, facts } = findingOf(findings, "answer");
    expect(seen).toBe("nothing answers at any usual baud rate: not one byte came");
    expect(facts).toMatchObject({ heard: "silence" });
    expect(advice).toHaveLength(5);
    expect(advice[0]).toContain("swap the wires TX and RX");
  });

  it("that sends everything back: TX and RX are joined", async () => {
    joinTxAndRx(pty.duplex);
    const finding = findingOf(await examined(uri, SHORT), "answer");
    expect(finding).toMatchObject({ verdict: "problem", facts: { heard: "loopback" } });
    expect(finding.seen).toContain("only what was sent comes back");
  });

  it.each([
    ["unreadable bytes", "\x86\xf3\x9e\x00\xfe", "garbage", "86 F3 9E 00 FE"],
    ["zero bytes", "\0\0\0\0", "garbage", "only zero bytes come"],
    ["another device's text", "raspberrypi login: ", "text", '"raspberrypi login:'],
    [
      "a console's colours",
      "\x1b[0;32mI (27) boot: ESP-IDF \xe2\x82\xac\x1b[0m\r\n",
      "text",
      '"I (27) boot: ESP-IDF ?',
    ],
    ["a modem's refusals", "ERROR\r\n", "text", '"ERROR'],
  ])("where %s come", async (_, said, heard, seen) => {
    pty.duplex.onBytes(() => pty.duplex.write(ascii(said)));
    const finding = findingOf(await examined(uri, SHORT), "answer");
    expect(finding).toMatchObject({ verdict: "problem", facts: { heard } });
    expect(finding.seen).toContain(seen);
  });

  it("where a modem answers AT, and no frame", async () => {
    pty.duplex.onBytes((bytes) => pty.duplex.write(ascii(Buffer.from(bytes).includes("CMD") ? "ERROR\r\n" : "OK\r\n")));
    const finding = findingOf(await examined(uri, SHORT), "answer");
    expect(finding).toMatchObject({ verdict: "problem", facts: { heard: "at-only" } });
  });

  it("where a module answers at another rate only", async () => {
    const opened: (number | undefined)[] = [];
    const findings = await examined(uri, {
      ...SHORT,
      openLine: async (line): Promise<ByteDuplex> => {
        const baudRate = line.kind === "uart" ? line.baudRate : undefined;
        opened.push(baudRate);
        const { host, module } = linePair();
        if (baudRate === 57_600) attachUart(new EmulatedModule(), module);
        else module.onBytes(() => module.write(ascii("\xf8\x80\xf0")));
        return host;
      },
    });
    expect(opened).toEqual([115_200, 9600, 57_600]);
    const { verdict, seen, advice } = findingOf(findings, "answer");
    expect(verdict).toBe("problem");
    expect(seen).toBe("nothing readable at 115200 baud, but it answers at 57600 baud");
    expect(advice[0]).toBe(`use --port "${uri}?baud=57600" and run the doctor again`);
  });

  it("that is lost meanwhile", async () => {
    const { host, lose } = linePair();
    const findings = await examined("tcp:127.0.0.1:1", {
      openLine: async () => {
        queueMicrotask(lose);
        return host;
      },
    });
    expect(verdicts(findings)[0]).toBe("problem open");
    expect(findingOf(findings, "open")).toMatchObject({ seen: "the cable was pulled", facts: { code: "PORT_LOST" } });
  });

  it("that is lost while other rates are tried is told as well", async () => {
    const findings = await examined("uart:/dev/null", {
      ...SHORT,
      openLine: async (line) => {
        const { host, module, lose } = linePair();
        if (line.kind === "uart" && line.baudRate !== 115_200) queueMicrotask(lose);
        else module.onBytes(() => module.write(ascii("\xf8\x80\xf0")));
        return host;
      },
    });
    expect(verdicts(findings).slice(2, 4)).toEqual(["problem open", "skipped answer"]);
    expect(findingOf(findings, "open")).toMatchObject({ facts: { code: "PORT_LOST" } });
  });

  it("is given up by the signal", async () => {
    const stop = new AbortController();
    await failsWith(
      "ABORTED",
      examined(uri, {
        timeoutMs: 600_000,
        signal: stop.signal,
        openLine: async (line, signal) => {
          queueMicrotask(() => stop.abort());
          return openLine(line, signal);
        },
      }),
    );
  });
});

describe.skipIf(process.platform === "win32")("a Bus Pirate", () => {
  const i2c = (): string => `buspirate+i2c:${pty.path}`;

  it("with a module passes", async () => {
    attachBusPirate(new EmulatedModule(), pty.duplex);
    const findings = await examined(i2c(), { echoes: 5 });
    expect(verdicts(findings).slice(0, 5)).toEqual(["ok port", "ok holder", "ok adapter", "ok answer", "ok parity"]);
    expect(findingOf(findings, "answer").seen).toBe("the module at 0x4F answers over I2C");
  });

  it("that is none", async () => {
    const findings = await examined(i2c());
    expect(verdicts(findings).slice(0, 4)).toEqual(["ok port", "ok holder", "problem adapter", "skipped answer"]);
  });

  it("that hangs in the middle of the checks is told, and the rest is skipped", async () => {
    const { host, module } = linePair();
    attachBusPirate(new EmulatedModule(), host);
    let hangs = false;
    pty.duplex.onBytes((bytes) => {
      if (!hangs) module.write(bytes);
    });
    module.onBytes((bytes) => pty.duplex.write(bytes));
    const onProgress = (): void => {
      hangs = true;
    };
    const findings = await examined(i2c(), { ...SHORT, onProgress });
    expect(verdicts(findings).slice(3, 6)).toEqual(["ok answer", "problem open", "skipped parity"]);
    expect(findingOf(findings, "open")).toMatchObject({ facts: { code: "PORT_FAILED" } });
    expect(findingOf(findings, "open").advice[0]).toContain("plug the adapter out and in");
  }, 20_000);

  it("at whose bus nothing acknowledges the module's address", async () => {
    const { host, module } = linePair();
    attachBusPirate(new EmulatedModule(), host);
    // Another address than 0x4F arrives at the bus.
    pty.duplex.onBytes((bytes) => module.write(bytes.map((byte) => ((byte & 0xfe) === 0x9e ? byte ^ 0x10 : byte))));
    module.onBytes((bytes) => pty.duplex.write(bytes));
    const findings = await examined(i2c(), SHORT);
    expect(verdicts(findings).slice(2, 5)).toEqual(["ok adapter", "problem answer", "skipped parity"]);
    expect(findingOf(findings, "answer").seen).toBe("nothing acknowledges at 0x4F, the module's address");
  });
});

/** Another program that opens a port, as its user does: with a lock. */
const HOLD_PORT = `
  const { SerialPort } = require("serialport");
  const port = new SerialPort({ path: process.argv[1], baudRate: 115200 }, () => process.stdout.write("open"));
  process.stdin.resume();
`;
