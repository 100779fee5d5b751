import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connectTcp } from "../../host/adapter/tcp.ts";
import { ended, everyByte, pattern, Received, sameBytes } from "../support/duplex.ts";
import { failsWith } from "../support/errors.ts";

const host = "127.0.0.1";
let server: Server;
let port: number;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
  });
  server.listen(0, host);
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets) socket.destroy();
  if (server.listening) {
    server.close();
    await once(server, "close");
  }
});

/** Where a sequence that repeats every 64 KiB is at. */
function repeated(piece: Uint8Array, from: number, length: number): Uint8Array {
  const start = from % piece.length;
  return Buffer.concat([piece, piece, piece]).subarray(start, start + length);
}

describe("connectTcp", () => {
  it("passes all 256 byte values both ways", async () => {
    server.on("connection", (socket) => socket.pipe(socket));
    const duplex = await connectTcp({ host, port });
    expect(duplex.name).toBe(`tcp:127.0.0.1:${port}`);
    const received = new Received(duplex);
    duplex.write(everyByte);
    expect(await received.take(256)).toEqual(everyByte);
    await duplex.close();
  });

  it("loses nothing that the other end sends with the connection", async () => {
    server.on("connection", (socket) => socket.write(Uint8Array.of(1, 2, 3)));
    const duplex = await connectTcp({ host, port });
    expect(await new Received(duplex).take(3)).toEqual(Uint8Array.of(1, 2, 3));
    await duplex.close();
  });

  it("delivers what was written last before a close", async () => {
    const connection = once(server, "connection");
    const duplex = await connectTcp({ host, port });
    const [socket] = await connection;
    // More than any system's socket buffers: the rest has to wait until the other end reads.
    const piece = pattern(65_536);
    for (let count = 0; count < 256; count++) duplex.write(piece);
    const end = ended(duplex);
    // However slow this machine is: the close does not lose its patience.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const closing = duplex.close();
    let whole = 0;
    for await (const chunk of socket) {
      if (!sameBytes(chunk, repeated(piece, whole, chunk.length))) throw new Error(`other bytes at ${whole}`);
      whole += chunk.length;
    }
    await closing;
    expect(whole).toBe(256 * 65_536);
    expect(await end).toBeUndefined();
  });

  it("says PORT_LOST when the other end leaves", async () => {
    server.on("connection", (socket) => socket.end());
    const duplex = await connectTcp({ host, port });
    const reason = await ended(duplex);
    expect(reason?.code).toBe("PORT_LOST");
    expect(reason?.context).toMatchObject({ port: `tcp:127.0.0.1:${port}` });
    await duplex.close();
  });

  it("says PORT_LOST with the cause when the connection breaks", async () => {
    server.on("connection", (socket) => socket.on("data", () => socket.resetAndDestroy()));
    const duplex = await connectTcp({ host, port });
    duplex.write(Uint8Array.of(1));
    const reason = await ended(duplex);
    expect(reason?.code).toBe("PORT_LOST");
    expect(reason?.cause).toMatchObject({ code: "ECONNRESET" });
  });

  it("says PORT_NOT_FOUND where nothing listens, and what to start", async () => {
    server.close();
    await once(server, "close");
    const error = await failsWith("PORT_NOT_FOUND", connectTcp({ host, port }));
    expect(error.message).toContain(`sakuraio emulate --uart tcp:127.0.0.1:${port}`);
    expect(error.cause).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("says PORT_NOT_FOUND for a name that cannot be", async () => {
    // RFC 6761: names under .invalid never resolve.
    const error = await failsWith("PORT_NOT_FOUND", connectTcp({ host: "module.invalid", port }));
    expect(error.message).toContain("tcp:module.invalid:");
  });

  it("says ABORTED for a signal that is raised already, without connecting", async () => {
    const reason = new Error("changed my mind");
    const error = await failsWith("ABORTED", connectTcp({ host, port, signal: AbortSignal.abort(reason) }));
    expect(error.cause).toBe(reason);
    const next = await connectTcp({ host, port });
    const end = ended(next);
    server.on("connection", (socket) => socket.end());
    for (const socket of sockets) socket.end();
    await end;
    expect(sockets).toHaveLength(1);
  });

  it("says ABORTED for a signal that is raised meanwhile, and lets go of the connection", async () => {
    const connection = once(server, "connection");
    const controller = new AbortController();
    const connecting = connectTcp({ host, port, signal: controller.signal });
    // The connection is asked for on the next tick; its answer takes a turn of the event loop.
    process.nextTick(() => controller.abort());
    await failsWith("ABORTED", connecting);
    const [socket] = await connection;
    socket.resume();
    await once(socket, "close");
  });

  it("does not mind a signal that is raised afterwards", async () => {
    server.on("connection", (socket) => socket.pipe(socket));
    const controller = new AbortController();
    const duplex = await connectTcp({ host, port, signal: controller.signal });
    controller.abort();
    const received = new Received(duplex);
    duplex.write(Uint8Array.of(9));
    expect(await received.take(1)).toEqual(Uint8Array.of(9));
    await duplex.close();
  });

  it("says TIMEOUT when the time is over before the connection is there", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const connecting = failsWith("TIMEOUT", connectTcp({ host, port }));
    vi.advanceTimersByTime(5000);
    expect((await connecting).context).toEqual({ port: `tcp:127.0.0.1:${port}`, timeoutMs: 5000 });
  });

  it.each([0, 65536, 1.5, Number.NaN])("refuses port %s", async (bad) => {
    await failsWith("INVALID_ARGUMENT", connectTcp({ host, port: bad }));
  });

  it("refuses an empty host", async () => {
    await failsWith("INVALID_ARGUMENT", connectTcp({ host: "", port }));
  });
});
