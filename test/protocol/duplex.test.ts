import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { duplexOverStream } from "../../protocol/duplex.ts";
import { SakuraError as Sakura, type SakuraError } from "../../protocol/errors.ts";

class FakeStream extends EventEmitter<{ data: [Uint8Array]; error: [Error]; close: [] }> {
  readonly written: number[][] = [];
  write(chunk: Uint8Array): void {
    this.written.push([...chunk]);
  }
}

function setup(release: () => Promise<void> = async () => undefined) {
  const stream = new FakeStream();
  let releases = 0;
  const duplex = duplexOverStream(stream, {
    name: "/dev/fake",
    release: () => {
      releases++;
      return release();
    },
  });
  const reasons: (SakuraError | undefined)[] = [];
  duplex.onClose((reason) => reasons.push(reason));
  return { stream, duplex, reasons, releases: () => releases };
}

describe("duplexOverStream", () => {
  it("passes bytes both ways, to every listener, until one is removed", () => {
    const { stream, duplex } = setup();
    const first: number[] = [];
    const second: number[] = [];
    const remove = duplex.onBytes((bytes) => first.push(...bytes));
    duplex.onBytes((bytes) => second.push(...bytes));
    stream.emit("data", Uint8Array.of(1, 2));
    remove();
    stream.emit("data", Uint8Array.of(3));
    duplex.write(Uint8Array.of(0xff, 0));
    expect(first).toEqual([1, 2]);
    expect(second).toEqual([1, 2, 3]);
    expect(stream.written).toEqual([[0xff, 0]]);
  });

  it("drops what arrives while nobody listens", () => {
    const { stream, duplex } = setup();
    stream.emit("data", Uint8Array.of(1));
    const got: number[] = [];
    duplex.onBytes((bytes) => got.push(...bytes));
    expect(got).toEqual([]);
  });

  it("ends without a reason after close(), once, and releases once", async () => {
    const { stream, duplex, reasons, releases } = setup();
    const got: number[] = [];
    duplex.onBytes((bytes) => got.push(...bytes));
    await Promise.all([duplex.close(), duplex.close()]);
    stream.emit("close");
    stream.emit("error", new Error("late"));
    stream.emit("data", Uint8Array.of(1));
    duplex.write(Uint8Array.of(1));
    expect(reasons).toEqual([undefined]);
    expect(releases()).toBe(1);
    expect(got).toEqual([]);
    expect(stream.written).toEqual([]);
  });

  it("close() resolves only when the stream is released", async () => {
    let letGo = (): void => undefined;
    const { duplex } = setup(() => new Promise((resolve) => (letGo = resolve)));
    let closed = false;
    const closing = duplex.close().then(() => (closed = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(false);
    letGo();
    await closing;
    expect(closed).toBe(true);
  });

  it("an error is a loss with its cause, and the close that follows is not a second one", () => {
    const { stream, reasons, releases } = setup();
    const cause = new Error("EIO");
    stream.emit("error", cause);
    stream.emit("close");
    expect(reasons).toHaveLength(1);
    expect(reasons[0]?.code).toBe("PORT_LOST");
    expect(reasons[0]?.cause).toBe(cause);
    expect(reasons[0]?.context).toEqual({ port: "/dev/fake" });
    expect(releases()).toBe(1);
  });

  it("a close that nobody asked for is a loss", () => {
    const { stream, reasons } = setup();
    stream.emit("close");
    expect(reasons.map((reason) => reason?.code)).toEqual(["PORT_LOST"]);
  });

  it("tells a listener that comes after the end at once, and not one that was removed", () => {
    const { stream, duplex } = setup();
    let removed = 0;
    duplex.onClose(() => removed++)();
    stream.emit("close");
    const late: (string | undefined)[] = [];
    duplex.onClose((reason) => late.push(reason?.code));
    expect(late).toEqual(["PORT_LOST"]);
    expect(removed).toBe(0);
  });

  it("takes the words for a loss from its owner", () => {
    const stream = new FakeStream();
    const duplex = duplexOverStream(stream, {
      name: "x",
      release: async () => undefined,
      lost: () => new Sakura("PORT_LOST", "the cable is out"),
    });
    const said: (string | undefined)[] = [];
    duplex.onClose((reason) => said.push(reason?.message));
    stream.emit("close");
    expect(said).toEqual(["the cable is out"]);
  });

  it("a release that fails after a loss rejects nobody unasked", async () => {
    const { stream, duplex } = setup(() => Promise.reject(new Error("stuck")));
    stream.emit("close");
    await new Promise((resolve) => setImmediate(resolve));
    await expect(duplex.close()).rejects.toThrow("stuck");
  });
});
