/** `--trace` and `--record`, and `sakuraio replay`, as processes on pseudo-terminals and TCP. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { openPty } from "../../emulator/bus/pty.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { type Exit, Running, sakuraio } from "../support/command.ts";
import { PlainDriver } from "../support/plain-driver.ts";
import { NOISY, SENDING, TROUBLED } from "../vectors/recordings.ts";

const MAIN = fileURLToPath(new URL("../../dist/host/cli/main.js", import.meta.url));

async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "replay-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

async function kept(text: string): Promise<string> {
  const file = join(await scratch(), "kept.ndjson");
  await writeFile(file, text);
  return file;
}

/** A module on a pseudo-terminal. */
async function moduleOnPty() {
  const pty = await openPty();
  onTestFinished(() => pty.close());
  const emulated = new EmulatedModule({ sendTimeMs: 0 });
  attachUart(emulated, pty.duplex);
  return { port: `uart:${pty.path}`, emulated };
}

async function replaying(text: string, ...args: readonly string[]) {
  const running = new Running(["replay", await kept(text), ...args, "--json"]);
  onTestFinished(() => {
    running.child.kill("SIGKILL");
  });
  const { endpoints, recording } = await running.next("ready");
  return { running, recording, place: String(Object.values(endpoints as object)[0]) };
}

async function asks(driver: PlainDriver, frame: string, answer: string): Promise<void> {
  await driver.write(`AT*CMD=${frame}\n`);
  const lines = `*CMD:${answer}\r\nOK\r\n`;
  expect(await driver.read(lines.length)).toBe(lines);
}

describe.skipIf(process.platform === "win32")("--record and --trace", () => {
  it("keep and show a verb's frames, and the recording gives the same output again", async () => {
    const { port, emulated } = await moduleOnPty();
    emulated.setSignal(3);
    const file = join(await scratch(), "a.ndjson");
    const real = await sakuraio("module", "--port", port, "--record", file, "--trace", "queue");
    expect(real.code).toBe(0);
    const shown = real.stderr.replaceAll(/^\S+ /gm, "").replaceAll(/OK {2}\d+\.\d ms */g, "OK ");
    expect(shown.split("\n")).toEqual([
      "→ TX_LENGTH                   22 00 22",
      "← OK 01 02 20 00 23                          tx 0 queued, 32 free",
      "→ RX_LENGTH                   32 00 32",
      "← OK 01 02 20 00 23                          rx 0 queued, 32 free",
      "→ TX_STAT                     25 00 25",
      "← OK 01 02 00 00 03                          queue done, immediate done",
      "",
    ]);
    const text = await readFile(file, "utf8");
    expect(text).not.toContain(port.slice("uart:".length));
    expect(
      text
        .replaceAll(/"t":[\d.]+/g, '"t":T')
        .split("\n")
        .slice(1),
    ).toEqual([
      '{"t":T,"dir":"request","hex":"220022"}',
      '{"t":T,"dir":"answer","hex":"0102200023"}',
      '{"t":T,"dir":"request","hex":"320032"}',
      '{"t":T,"dir":"answer","hex":"0102200023"}',
      '{"t":T,"dir":"request","hex":"250025"}',
      '{"t":T,"dir":"answer","hex":"0102000003"}',
      '{"t":T,"event":"end"}',
      "",
    ]);

    const { running, place } = await replaying(text, "--strict");
    expect(await sakuraio("module", "--port", `uart:${place}`, "queue")).toMatchObject({
      code: 0,
      stdout: real.stdout,
    });
    await running.next("end");
    expect(await running.stop()).toMatchObject({ code: 0, stderr: "" });
  });

  it("keep and show what is no frame, and that nothing came", async () => {
    const { place } = await replaying(NOISY, "--fast");
    const file = join(await scratch(), "a.ndjson");
    const flags = ["--port", `uart:${place}`, "--timeout", "50", "--trace", "--record", file];
    const noisy = await sakuraio("module", ...flags, "raw", "02");
    expect(noisy.stderr).toMatch(/← \(no frame\) .* 45 52 52 4F 52 0D 0A {20}"ERROR"$/m);
    const silent = await replaying(TROUBLED);
    const asked = ["--port", `uart:${silent.place}`, "--timeout", "50", "--trace"];
    expect((await sakuraio("module", ...asked, "raw", "A0")).stderr).toMatch(/← \(no answer\) {2}\d+\.\d ms$/m);
    expect(await readFile(file, "utf8")).toContain('"dir":"answer","noise":"4552524F520D0A"');
  });

  it("do not touch a file that is there", async () => {
    const { port } = await moduleOnPty();
    const file = await kept("mine");
    const { code, stdout, stderr } = await sakuraio("module", "--port", port, "--record", file, "--json", "queue");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `sakuraio: ${file} is there already: name another file, or remove this one first\n`,
    });
    expect(JSON.parse(stdout)).toMatchObject({ event: "error", code: "FILE_FAILED" });
    expect(await readFile(file, "utf8")).toBe("mine");
  });

  it("end the verb when the disk is full", async () => {
    const { port } = await moduleOnPty();
    const file = join(await scratch(), "a.ndjson");
    // 1024 bytes are the most that it may write into a file.
    const limited = 'ulimit -f 1; exec "$@"';
    const args = ["--port", port, "--record", file, "--json", "receive", "--follow", "--poll", "1"];
    const child = spawn("bash", ["-c", limited, "bash", process.execPath, MAIN, "module", ...args]);
    const exit = await ended(child);
    expect(exit.code).toBe(1);
    expect(exit.stderr).toMatch(/^sakuraio: the recording .*a\.ndjson cannot be written: EFBIG.*\n$/);
    expect(JSON.parse(exit.stdout)).toMatchObject({ event: "error", code: "FILE_FAILED" });
  });

  it("keep what passes a tap", async () => {
    const { port } = await moduleOnPty();
    const file = join(await scratch(), "a.ndjson");
    const running = new Running(["tap", "--mcu", "pty", "--module", port, "--record", file, "--json"]);
    const { endpoints } = await running.next("ready");
    const driver = await PlainDriver.open(String(Object.values(endpoints as object)[0]));
    await asks(driver, "020002", "01010505");
    // A wrong parity, and the module's word for it.
    await asks(driver, "020003", "020002");
    // Neither is a frame: what says OK and ERROR here answers no request.
    for (const [line, answer] of [
      ["AT\n", "OK\r\n"],
      ["AT*CMD=24x024\n", "ERROR\r\n"],
    ] as const) {
      await driver.write(line);
      expect(await driver.read(answer.length)).toBe(answer);
    }
    await driver.close();
    await running.next("answer", ({ status }) => status === "PARITY");
    expect((await running.stop()).code).toBe(0);
    const [header = "", ...lines] = (await readFile(file, "utf8")).replaceAll(/"t":[\d.]+/g, '"t":T').split("\n");
    expect(JSON.parse(header)).toMatchObject({ format: "sakuraio-recording", port: { kind: "tap" } });
    expect(lines).toEqual([
      '{"t":T,"dir":"request","hex":"020002"}',
      '{"t":T,"dir":"answer","hex":"01010505"}',
      '{"t":T,"dir":"request","hex":"020003"}',
      '{"t":T,"dir":"answer","hex":"020002"}',
      '{"t":T,"dir":"request","noise":"41540A"}',
      '{"t":T,"dir":"answer","noise":"4F4B0D0A"}',
      '{"t":T,"dir":"request","noise":"41542A434D443D3234783032340A"}',
      '{"t":T,"dir":"answer","noise":"4552524F520D0A"}',
      '{"t":T,"event":"end"}',
      "",
    ]);
  });
});

describe.skipIf(process.platform === "win32")("sakuraio replay", () => {
  it("is a module to a plain driver that asks more often, and then something else", async () => {
    const { running, place, recording } = await replaying(SENDING, "--uart", "pty", "--trace");
    expect(recording).toEqual({
      recorded: "2026-11-25T02:03:04.567Z",
      kit: "0.1.0",
      port: "uart",
      exchanges: 7,
      torn: false,
    });
    const driver = await PlainDriver.open(place);
    await asks(driver, "020002", "01010505");
    await asks(driver, "020002", "01010505");
    await asks(driver, "200A016919000000000000005B", "010001");
    await asks(driver, "240024", "010001");
    await asks(driver, "A000A0", "030003");
    await asks(driver, "250025", "0102010002");
    await asks(driver, "020002", "01010404");
    await driver.close();
    await running.next("end");
    const { code, stderr } = await running.stop();
    expect(code).toBe(0);
    expect(stderr).toMatch(/^\S+ → TX_ENQUEUE {18}20 0A .* 5B {2}1:i=25$/m);
    expect(running.lines.slice(1)).toEqual([
      {
        event: "mismatch",
        request: "A000A0",
        expected: "250025",
        answer: "030003",
        played: 3,
        exchanges: 7,
      },
      { event: "skipped", requests: ["250025"], orders: 0 },
      { event: "end", exchanges: 7 },
    ]);
  });

  it("keeps a silence, also for a client that gets in step by echoes and asks again", async () => {
    const { place } = await replaying(TROUBLED, "--uart", "tcp:127.0.0.1:0", "--fast");
    const { code, stdout } = await sakuraio("module", "--port", place, "--timeout", "20", "--json", "status");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ event: "error", code: "NO_ANSWER" });
  });

  it("gives a session on a bad line again as it was, echoes and retries and all", async () => {
    const { port, emulated } = await moduleOnPty();
    emulated.setFaults(parseFaults("flip=0.01,drop=0.003,seed=5"));
    const file = join(await scratch(), "a.ndjson");
    const flags = ["--timeout", "50", "--json"];
    const real = await sakuraio("module", "--port", port, ...flags, "--record", file, "status");
    const text = await readFile(file, "utf8");
    // With this seed the third request is lost, and the host gets in step by echoes of its own.
    expect(text).toContain('"dir":"request","hex":"0F0A');
    const { place } = await replaying(text, "--fast");
    expect(await sakuraio("module", "--port", `uart:${place}`, ...flags, "status")).toEqual(real);
    expect(JSON.parse(real.stdout)).toMatchObject({ event: "status", unique_id: "16B0100260" });
  });

  it("with --strict exits 1 at the first request that does not fit", async () => {
    const { running, place } = await replaying(SENDING, "--strict");
    const driver = await PlainDriver.open(place);
    await driver.write("AT*CMD=A000A0\n");
    await running.next("mismatch");
    expect((await running.exited).code).toBe(1);
    await driver.close();
  });

  it("goes behind a Bus Pirate", async () => {
    const { running, place } = await replaying(SENDING, "--bus-pirate", "tcp:127.0.0.1:0", "--fast");
    const sent = await sakuraio("module", "--port", `buspirate+i2c:${place}`, "raw", "20", "0169190000000000", "0000");
    expect(sent).toMatchObject({ code: 0, stdout: expect.stringContaining("<- 01 00 01  OK"), stderr: "" });
    expect(await running.next("skipped")).toEqual({ event: "skipped", requests: ["020002"], orders: 0 });
    expect((await running.stop()).code).toBe(0);
  });

  it("reads a recording that was cut off, and refuses what is none", async () => {
    const { recording } = await replaying(SENDING.slice(0, -40));
    expect(recording).toMatchObject({ torn: true, exchanges: 7 });
    const none = await sakuraio("replay", await kept("nonsense\n"), "--json");
    expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/^sakuraio: line 1 of the recording .+\n$/) });
    expect(await sakuraio("replay", "/none/of/that/name")).toMatchObject({ code: 1 });
    expect((await sakuraio("replay", "--help")).stdout).toContain("sakuraio replay bug.ndjson --uart pty:/tmp/sakura");
  });

  it("speaks to people", async () => {
    const running = new Running(["replay", await kept(SENDING), "--uart", "pty"]);
    const [, place = ""] = await running.shows(/^at (\S+); Ctrl\+C stops it$/m);
    expect(running.stdout).toContain(
      "7 exchanges, recorded 2026-11-25T02:03:04.567Z over uart by sakuraio-kit 0.1.0\n",
    );
    const driver = await PlainDriver.open(place);
    await asks(driver, "200A01691A0000000000000058", "010001");
    await driver.close();
    expect((await running.stop()).stderr.split("\n")).toEqual([
      "mismatch  TX_ENQUEUE 1:i=26 (20 0A 01 69 1A 00 00 00 00 00 00 00 58), but recorded was TX_ENQUEUE 1:i=25 (20 0A 01 69 19 00 00 00 00 00 00 00 5B); answered 01 00 01",
      "skipped   GET_SIGNAL_QUALITY (02 00 02)",
      "",
    ]);
  });
});

function ended(child: ReturnType<typeof spawn>): Promise<Pick<Exit, "code" | "stdout" | "stderr">> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}
