/** `sakuraio module file` over a real pseudo-terminal: into a file, through faults and a pulled cable, and given up. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { filesInMemory } from "../../emulator/files.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import type { ExitCode } from "../../host/cli/io.ts";
import { moduleFileGet, moduleFileInfo } from "../../host/cli/module/file.ts";
import { progressText } from "../../host/cli/module/file-progress.ts";
import { type ModuleSession, portSession } from "../../host/cli/module/session.ts";
import { reportFailure } from "../../host/cli/process-io.ts";
import { pattern, sameBytes } from "../support/duplex.ts";
import { FakeIo } from "../support/fake-io.ts";

const data = pattern(20_000);
const METADATA = { size: 20_000, datetime: "2017-03-31T11:33:20.500Z", unix_ms: 1490960000500, crc32: "ca2cd333" };

describe.skipIf(process.platform === "win32")("module file", () => {
  let folder: string;
  let link: string;
  let output: string;
  let emulated: EmulatedModule;
  let pty: PtyEndpoint;
  let io: FakeIo;

  async function plugIn(): Promise<void> {
    pty = await openPty({ link });
    attachUart(emulated, pty.duplex);
  }

  function session(json = false): ModuleSession {
    return portSession({ port: `uart:${link}`, timeout: 1000, json }, io);
  }

  function run(verb: Promise<ExitCode>, json = false): Promise<ExitCode> {
    return verb.catch((error: unknown) => reportFailure(error, io, json));
  }

  /** Calls it when the module hands out its n-th part. */
  function atPart(number: number, then: () => void): void {
    let parts = 0;
    emulated.override("GET_FILE_DATA", (_request, next) => {
      if (++parts === number) then();
      return next();
    });
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "file-verb-"));
    link = join(folder, "port");
    output = join(folder, "out.bin");
    io = new FakeIo();
    emulated = new EmulatedModule({ files: filesInMemory({ 1: { data, timestamp: 1_490_960_000_500 } }) });
    await plugIn();
  });
  afterEach(async () => {
    await pty.close();
    rmSync(folder, { recursive: true });
  });

  it("get arrives whole over a bad line whose cable is pulled once", async () => {
    emulated.setFaults(parseFaults("flip=0.0005,drop=0.0002,busy=0.05,seed=5"));
    atPart(20, () => void pty.close().then(plugIn));
    expect(await run(moduleFileGet(1, { output, force: false }, session()))).toBe(0);
    expect(sameBytes(readFileSync(output), data)).toBe(true);
    expect(io.out).toMatch(/^\S+out\.bin: 20000 bytes of 2017-03-31T11:33:20\.500Z, CRC-32 \w{8} is right, .*\n$/);
    expect(io.err).toMatch(/waiting for it to come back\nsakuraio: the port is back\n$/);
    expect(readdirSync(folder).sort()).toEqual(["out.bin", "port"]);
  }, 30_000);

  it("get says so to programs, a line each", async () => {
    expect(await run(moduleFileGet(1, { output, chunk: 100, force: false }, session(true)), true)).toBe(0);
    const lines = io.out
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines[0]).toEqual({ event: "progress", file: 1, received: 0, size: 20_000, pass: 1 });
    expect(lines.at(-1)).toMatchObject({ event: "file", file: 1, path: output, passes: 1, ...METADATA });
  });

  it("get writes to stdout, and nothing else", async () => {
    const small = Uint8Array.from(Buffer.from("the bytes\n"));
    emulated.state.files = filesInMemory({ 1: { data: small, timestamp: 0 } });
    expect(await run(moduleFileGet(1, { output: "-", force: false }, session()))).toBe(0);
    expect(io.out).toBe("the bytes\n");
    expect(await run(moduleFileGet(1, { output: "-", force: false }, session(true)))).toBe(2);
  });

  it("get replaces a file only with --force", async () => {
    writeFileSync(output, "old");
    expect(await run(moduleFileGet(1, { output, force: false }, session()))).toBe(1);
    expect(io.err).toMatch(/there already: --force/);
    expect(readFileSync(output, "utf8")).toBe("old");
    expect(await run(moduleFileGet(1, { output, force: true }, session()))).toBe(0);
    expect(sameBytes(readFileSync(output), data)).toBe(true);
  });

  it("get stops cleanly, has the module cancel, and leaves nothing", async () => {
    atPart(10, () => io.stop());
    expect(await run(moduleFileGet(1, { output, force: false }, session()))).toBe(0);
    expect(io.err).toMatch(/^sakuraio: \d+ of 20000 bytes had arrived; nothing is kept of them\n$/);
    expect(emulated.state.download.kind).toBe("none");
    expect(readdirSync(folder)).toEqual(["port"]);
  });

  it("get says that there is no such file", async () => {
    expect(await run(moduleFileGet(2, { output, force: false }, session()))).toBe(1);
    expect(io.err).toMatch(/^sakuraio: the module cannot download file 2: .*no such file.*\n$/);
    expect(existsSync(`${output}.part`)).toBe(false);
  });

  it("info says what it is, and leaves the module as it was", async () => {
    expect(await run(moduleFileInfo(1, session()))).toBe(0);
    expect(io.out).toBe(`size    20000 bytes\ntime    2017-03-31T11:33:20.500Z\nCRC-32  ${METADATA.crc32}\n`);
    expect(emulated.state.download.kind).toBe("none");
  });
});

describe("the progress line", () => {
  it("fits 80 columns", () => {
    expect(progressText(1, { received: 43_008, size: 102_400, pass: 1 }, 8)).toBe(
      "file 1 [####------]  42 %  43.0 of 102.4 KB, 5.4 KB/s, 0:12 left",
    );
    const longest = progressText(5, { received: 1_000_000, size: 4_000_000, pass: 10 }, 600);
    expect(longest).toBe("file 5 [##--------]  25 %  1000.0 of 4000.0 KB, 1.7 KB/s, 30:00 left, pass 10");
    expect(longest.length).toBeLessThan(80);
  });
});
