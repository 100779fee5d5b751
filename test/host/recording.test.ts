/** A session that is kept: what is in the file, and what becomes of one that cannot be written. */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, it, onTestFinished } from "vitest";
import { listenTcp } from "../../emulator/bus/tcp.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { SakuraModule } from "../../host/module.ts";
import { portOfRecording, recordSession } from "../../host/recording.ts";
import { parsePortUri } from "../../host/uri.ts";
import type { SakuraError } from "../../protocol/errors.ts";
import { thrown } from "../protocol/thrown.ts";

async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "recording-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

async function served() {
  const endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => endpoint.close());
  const emulated = new EmulatedModule();
  endpoint.onConnection((duplex) => attachUart(emulated, duplex));
  return endpoint;
}

async function opened(reopen = false) {
  const endpoint = await served();
  const module = await SakuraModule.open(endpoint.uri, { reopen, timeoutMs: 10_000 });
  onTestFinished(() => module.close());
  return { module, endpoint };
}

const surprising = (error: SakuraError): void => {
  throw error;
};
/** Times differ from run to run. */
const timeless = (text: string): string[] =>
  text
    .replaceAll(/"t":[\d.]+/g, '"t":T')
    .split("\n")
    .slice(1);

it("is in the file frame by frame as it goes, and ends with the module", async () => {
  const { module, endpoint } = await opened();
  const file = join(await scratch(), "a.ndjson");
  recordSession(module, file, { port: portOfRecording(parsePortUri(endpoint.uri)), onFailure: surprising });
  await module.getSignalQuality();
  const before = await readFile(file, "utf8");
  const frames = ['{"t":T,"dir":"request","hex":"020002"}', '{"t":T,"dir":"answer","hex":"01010505"}'];
  expect(timeless(before)).toEqual([...frames, ""]);
  expect(JSON.parse(before.split("\n")[0] ?? "")).toEqual({
    format: "sakuraio-recording",
    version: 1,
    kit: expect.stringMatching(/^\d+\.\d+\.\d+/),
    recorded: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    port: { kind: "tcp" },
    host: `node ${process.version} ${process.platform}`,
  });
  await module.close();
  expect(timeless(await readFile(file, "utf8"))).toEqual([...frames, '{"t":T,"event":"end"}', ""]);
  if (process.platform !== "win32") expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it("tells of a port that was lost and came back, once each", async () => {
  const { module, endpoint } = await opened(true);
  const stream = new PassThrough({ encoding: "utf8" });
  recordSession(module, stream, { port: { kind: "tcp" }, onFailure: surprising });
  const port = Number(endpoint.uri.split(":").at(-1));
  const back = new Promise<void>((resolve) => {
    module.onState(({ kind }) => {
      if (kind === "open") resolve();
    });
  });
  await endpoint.close();
  const again = await listenTcp({ host: "127.0.0.1", port });
  onTestFinished(() => again.close());
  await back;
  await module.close();
  const events = ['{"t":T,"event":"lost"}', '{"t":T,"event":"open"}', '{"t":T,"event":"end"}'];
  expect(timeless(String(stream.read()))).toEqual([...events, ""]);
});

it("stops when it is told to, and leaves the stream open", async () => {
  const { module } = await opened();
  const stream = new PassThrough({ encoding: "utf8" });
  const stop = recordSession(module, stream, { port: { kind: "tcp" }, onFailure: surprising });
  stop();
  stop();
  await module.getSignalQuality();
  expect(timeless(String(stream.read()))).toEqual(['{"t":T,"event":"end"}', ""]);
  expect(stream.writableEnded).toBe(false);
});

it("does not replace a file, and names one that cannot be made", async () => {
  const { module } = await opened();
  const directory = await scratch();
  const file = join(directory, "a.ndjson");
  const record = (to: string) => recordSession(module, to, { port: { kind: "tcp" }, onFailure: surprising });
  record(file);
  expect(thrown("FILE_FAILED", () => record(file)).message).toBe(
    `${file} is there already: name another file, or remove this one first`,
  );
  const missing = join(directory, "none", "a.ndjson");
  expect(thrown("FILE_FAILED", () => record(missing)).message).toContain(missing);
});

it("tells of a stream that takes no more, once, and leaves the module be", async () => {
  const { module } = await opened();
  const stream = new PassThrough();
  const failures: SakuraError[] = [];
  recordSession(module, stream, { port: { kind: "tcp" }, onFailure: (error) => failures.push(error) });
  stream.destroy(new Error("disk full"));
  expect(await module.getSignalQuality()).toBe(5);
  expect(await module.getSignalQuality()).toBe(5);
  expect(failures.map(({ code, message }) => [code, message])).toEqual([
    ["FILE_FAILED", "the recording in the stream cannot be written: disk full"],
  ]);
});

it.each([
  ["uart:/home/me/private?baud=57600", { kind: "uart", baud: 57_600 }],
  ["tcp:secret.example.com:7000", { kind: "tcp" }],
  ["buspirate+i2c:/dev/serial/by-id/usb-mine", { kind: "buspirate+i2c", baud: 115_200 }],
  ["buspirate+spi:tcp:secret.example.com:7000", { kind: "buspirate+spi" }],
  ["spi:/dev/spidev0.0", { kind: "spi" }],
])("of the port %s it holds %j", (uri, port) => {
  expect(portOfRecording(parsePortUri(uri))).toEqual(port);
});
