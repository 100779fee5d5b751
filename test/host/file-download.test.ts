/** Downloading a file: what is lost, damaged, replaced, refused or given up on the way. In virtual time. */
import { crc32 } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { ChunkSize } from "../../host/file-chunk.ts";
import type { FileDownload, FileDownloadOptions, FileProgress } from "../../host/file-download.ts";
import { pattern, sameBytes } from "../support/duplex.ts";
import { failsWith } from "../support/errors.ts";
import { RepluggedClient } from "../support/replugged-client.ts";

const START = 0x40;
const STATUS = 0x42;
const CANCEL = 0x43;
const DATA = 0x44;
const SIZE = 1000;
const data = pattern(SIZE);

let client: RepluggedClient;
let carriedOut = 0;

beforeEach(async () => {
  carriedOut = 0;
  client = new RepluggedClient();
  client.files[1] = { data, timestamp: 1_490_960_000_500 };
  await client.open();
});

function get(options: FileDownloadOptions = {}, file = 1): Promise<FileDownload> {
  return client.inTime(client.download(file, options));
}

function bytesOf(download: FileDownload): Promise<Uint8Array> {
  return client.inTime(download.bytes());
}

async function partsOf(download: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const part of download) parts.push(part);
  return parts;
}

function times(code: number): number {
  return client.codes.filter((other) => other === code).length;
}

/** Has the module's n-th part come to this, counted from 1; what it hands out goes on all the same. */
function spoil(numbers: readonly number[], how: (part: Uint8Array) => Uint8Array): void {
  client.emulated.override("GET_FILE_DATA", (_request, next) => {
    const part = next();
    carriedOut++;
    return part instanceof Uint8Array && numbers.includes(carriedOut) ? how(part) : part;
  });
}

/** The answers to the module's n-th part, counted from 1, never arrive: the line dies and is mute for a while. */
function lose(numbers: readonly number[]): void {
  spoil(numbers, (part) => {
    client.emulated.setFaults({ flip: 0, drop: 1, busy: 0, delay: 0, seed: 1 });
    client.clock.after(300, () => client.emulated.setFaults());
    return part;
  });
}

describe("on a good line", () => {
  it("says what the file is, and gives its parts in order, as many as were asked for", async () => {
    const progress: FileProgress[] = [];
    const download = await get({ onProgress: (now) => progress.push(now) });
    expect(download.metadata).toEqual({ size: 1000, timestamp: 1_490_960_000_500n, crc32: crc32(data) });
    const parts = await client.inTime(partsOf(download));
    expect(parts.map(({ length }) => length)).toEqual([255, 255, 255, 235]);
    expect(sameBytes(Buffer.concat(parts), data)).toBe(true);
    expect(progress).toEqual([0, 255, 510, 765, 1000].map((received) => ({ received, size: 1000, pass: 1 })));
    expect([times(START), times(DATA), times(STATUS), times(CANCEL)]).toEqual([1, 4, 0, 0]);
  });

  it("asks for no more at once than told", async () => {
    const download = await get({ chunkBytes: 16 });
    const parts = await client.inTime(partsOf(download));
    expect(Math.max(...parts.map(({ length }) => length))).toBe(16);
    expect(sameBytes(Buffer.concat(parts), data)).toBe(true);
  });

  it("is a Readable too", async () => {
    const download = await get();
    const chunks = await client.inTime(partsOf(download.readable()));
    expect(sameBytes(Buffer.concat(chunks), data)).toBe(true);
  });

  it("gives an empty file", async () => {
    client.files[1] = { data: new Uint8Array(0), timestamp: 0 };
    expect(await bytesOf(await get())).toHaveLength(0);
  });

  it.each([{ chunkBytes: 0 }, { chunkBytes: 256 }, { passes: 0 }, { idleTimeoutMs: 0 }, { maxBytes: -1 }])(
    "refuses %j",
    async (options) => {
      await failsWith("INVALID_ARGUMENT", client.download(1, options));
      expect(client.codes).toEqual([]);
    },
  );

  it("refuses a file that is larger than allowed, and has the module end it", async () => {
    await failsWith("INVALID_PAYLOAD", get({ maxBytes: 999 }));
    expect(client.emulated.state.download.kind).toBe("none");
  });
});

describe("what is lost", () => {
  it("is a hole, filled on a second pass", async () => {
    lose([2]);
    const download = await get();
    expect(sameBytes(await bytesOf(download), data)).toBe(true);
    expect(download.progress.pass).toBe(2);
    expect(times(START)).toBe(2);
  });

  it("may be the last part", async () => {
    lose([4]);
    expect(sameBytes(await bytesOf(await get()), data)).toBe(true);
  });

  it("keeps back what comes behind it, so that the parts stay in order", async () => {
    lose([2]);
    const parts = await client.inTime(partsOf(await get()));
    expect(parts[0]).toHaveLength(255);
    expect(sameBytes(Buffer.concat(parts), data)).toBe(true);
  });

  it("is waited for while no part is there yet", async () => {
    let empty = 5;
    client.emulated.override("GET_FILE_DATA", (_request, next) => (empty-- > 0 ? new Uint8Array(0) : next()));
    expect(sameBytes(await bytesOf(await get()), data)).toBe(true);
    expect(times(START)).toBe(1);
  });

  it("is not waited for for ever", async () => {
    client.emulated.override("GET_FILE_DATA", () => new Uint8Array(0));
    await failsWith("TIMEOUT", bytesOf(await get({ idleTimeoutMs: 5000 })));
    expect(client.emulated.state.download.kind).toBe("none");
  });
});

describe("damage that the parity lets pass", () => {
  const flipped = (part: Uint8Array): Uint8Array => part.map((byte, index) => (index < 2 ? byte ^ 0x10 : byte));

  it("is outvoted on further passes", async () => {
    spoil([3], flipped);
    const download = await get();
    expect(sameBytes(await bytesOf(download), data)).toBe(true);
    expect(download.progress.pass).toBeGreaterThan(1);
  });

  it("fails an iteration that gave it", async () => {
    spoil([3], flipped);
    const download = await get();
    const error = await failsWith("DAMAGED_ANSWER", client.inTime(partsOf(download)));
    expect(error.context).toMatchObject({ given: 1000, reason: "crc32" });
    expect(sameBytes(await bytesOf(download), data)).toBe(true);
  });

  it("in a part's length is found by the status", async () => {
    spoil([2], (part) => part.subarray(0, 100));
    expect(sameBytes(await bytesOf(await get()), data)).toBe(true);
    // Four parts; and once more the two whose place nobody had made sure of.
    expect(times(DATA)).toBe(6);
  });

  it("in the status puts parts in the wrong place, until the next look", async () => {
    let asked = 0;
    client.emulated.override("GET_FILE_DATA", (_request, next) => {
      asked++;
      if (asked !== 2 && asked !== 4) return next();
      client.emulated.setFaults({ flip: 0, drop: 1, busy: 0, delay: 0, seed: 1 });
      client.clock.after(300, () => client.emulated.setFaults());
      // Not handed out: the module stays where it is.
      return new Uint8Array(0);
    });
    let lies = 1;
    client.emulated.override("GET_FILE_DOWNLOAD_STATUS", (_request, next) => {
      const status = next();
      return "received" in status && lies-- > 0 ? { ...status, received: 510 } : status;
    });
    const download = await get();
    expect(sameBytes(await bytesOf(download), data)).toBe(true);
    expect(download.progress.pass).toBe(2);
  });

  it("is the file's own when every pass brings the same", async () => {
    client.emulated.override("GET_FILE_METADATA", (_request, next) => {
      const metadata = next();
      return "crc32" in metadata ? { ...metadata, crc32: 0x12345678 } : metadata;
    });
    const error = await failsWith("DAMAGED_ANSWER", bytesOf(await get()));
    expect(error.context).toMatchObject({ expected: 0x12345678, crc32: crc32(data), held: 1000 });
    expect(times(START)).toBe(2);
  });
});

describe("a file that is replaced meanwhile", () => {
  const other = pattern(1200).reverse();

  it("is downloaded anew", async () => {
    lose([2]);
    const download = await get();
    client.files[1] = { data: other, timestamp: 1_490_970_000_000 };
    expect(sameBytes(await bytesOf(download), other)).toBe(true);
    expect(download.metadata).toMatchObject({ size: 1200, crc32: crc32(other) });
  });

  it("ends an iteration that gave some of it", async () => {
    lose([2]);
    const download = await get();
    client.files[1] = { data: other, timestamp: 1_490_970_000_000 };
    const error = await failsWith("DAMAGED_ANSWER", client.inTime(partsOf(download)));
    expect(error.context).toMatchObject({ given: 255, reason: "changed" });
  });
});

describe("the module", () => {
  it("says that there is no such file", async () => {
    const error = await failsWith("MODULE_REFUSED", get({}, 2));
    expect(error.context).toMatchObject({ status: "not-found", file: 2 });
  });

  it("says that it is offline", async () => {
    client.emulated.setOnline(false);
    const error = await failsWith("MODULE_REFUSED", get());
    expect(error.context).toMatchObject({ status: "error" });
  });

  it("ends a download that was under way", async () => {
    const first = await get();
    const second = await get();
    expect(sameBytes(await bytesOf(second), data)).toBe(true);
    expect(times(CANCEL)).toBe(1);
    expect(first.progress.received).toBe(0);
  });

  it("may never learn what the file is", async () => {
    client.emulated.state.fileDelayMs = 60_000;
    await failsWith("TIMEOUT", get({ metadataTimeoutMs: 3000 }));
    expect(client.emulated.state.download.kind).toBe("none");
  });

  it("may restart in between", async () => {
    const download = await get();
    let asked = 0;
    client.emulated.override("GET_FILE_DATA", (_request, next) => {
      if (++asked === 3) client.emulated.restart();
      return next();
    });
    expect(sameBytes(await bytesOf(download), data)).toBe(true);
    expect(times(START)).toBeGreaterThanOrEqual(2);
  });
});

describe("a pulled cable", () => {
  it("is waited for, and the download goes on where it was", async () => {
    let pulls = 1;
    const download = await get({ onProgress: ({ received }) => received >= 500 && pulls-- > 0 && client.unplug() });
    expect(sameBytes(await bytesOf(download), data)).toBe(true);
    expect(times(START)).toBe(1);
  });

  it("ends a download whose port is not opened again", async () => {
    client = new RepluggedClient();
    client.files[1] = { data, timestamp: 0 };
    await client.open({ reopen: false });
    const download = await get();
    client.unplug();
    await failsWith("PORT_LOST", bytesOf(download));
  });
});

describe("a download that is given up", () => {
  it("is cancelled at the module, by the signal", async () => {
    const abort = new AbortController();
    const download = await get({
      signal: abort.signal,
      onProgress: ({ received }) => received >= 500 && abort.abort(),
    });
    await failsWith("ABORTED", bytesOf(download));
    await failsWith("ABORTED", bytesOf(download));
    expect(client.emulated.state.download.kind).toBe("none");
  });

  it("is cancelled at the module when an iteration is left", async () => {
    const download = await get();
    const first = async (): Promise<number> => {
      for await (const part of download) return part.length;
      return 0;
    };
    expect(await client.inTime(first())).toBe(255);
    expect(client.emulated.state.download.kind).toBe("none");
    await failsWith("ABORTED", download.bytes());
  });
});

describe("the size of a part", () => {
  it("is the most that is allowed while parts arrive", () => {
    const size = new ChunkSize(255);
    for (let i = 0; i < 100; i++) size.arrived(255);
    size.failed(255);
    expect(size.bytes()).toBe(255);
  });

  it("becomes small where none arrives, and grows again where all do", () => {
    const size = new ChunkSize(64);
    for (let i = 0; i < 100; i++) size.failed(size.bytes());
    expect(size.bytes()).toBeLessThan(24);
    for (let i = 0; i < 200; i++) size.arrived(size.bytes());
    expect(size.bytes()).toBe(64);
  });
});
