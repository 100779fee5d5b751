import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { ask, serviceStats, startPanel, T0, view } from "./support.ts";

const SERVICE = {
  name: "plant-b",
  type: "aws-iot",
  hostname: "b.example",
  publish_prefix: "b/up",
  subscribe_topic: "b/down",
  rootca_cert: "root.pem",
  cert: "cert.pem",
  private_key: "key.pem",
};

describe("GET /api/status", () => {
  it("has every figure and every state", async () => {
    const { url, control } = await startPanel();
    control.current = {
      ...control.current,
      orphans: [{ service: "gone", waiting: 1, waitingBytes: 9, oldestAt: undefined, deadLetters: 0 }],
      services: [serviceStats({ waiting: 2, waitingBytes: 700, oldestAt: T0 + 1_000, deadLetters: 1 })],
    };
    const { status, text } = await ask(`${url}/api/status`);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      status: "ok",
      startedAt: "2026-01-02T03:04:05.000Z",
      uplink: { accepted: 0, refused: 0, unrouted: 0, nonFinite: 0 },
      downlink: { accepted: 0, refused: 0, waiting: 0, refusals: {} },
      outbox: { state: "ok" },
      orphans: [{ service: "gone", waiting: 1, waitingBytes: 9, deadLetters: 0 }],
      services: [
        {
          name: "plant-a",
          state: "online",
          since: "2026-01-02T03:04:05.000Z",
          endpoint: "broker:8883",
          published: 0,
          waiting: 2,
          waitingBytes: 700,
          oldestAt: "2026-01-02T03:04:06.000Z",
          dropped: { full: 0, expired: 0, damaged: 0 },
          deadLetters: 1,
        },
      ],
      links: [
        { module: "u1", kind: "emulated", state: "up", since: "2026-01-02T03:04:05.000Z", endpoint: "/dev/pts/3" },
      ],
    });
  });
});

describe("/api/services", () => {
  it("shows a service without its key, even where one got in by mistake", async () => {
    const { url, control } = await startPanel();
    const leaking = { ...view, private_key: "-----BEGIN PRIVATE KEY-----" };
    control.views = [leaking];
    const { text } = await ask(`${url}/api/services`);
    expect(text).not.toContain("PRIVATE KEY");
    expect(JSON.parse(text)).toMatchObject({
      services: [
        {
          name: "plant-a",
          clientId: "sakuraio-1",
          privateKeyFrom: "key.pem",
          certificate: { subject: "CN=device", validTo: "2026-01-03T03:04:05.000Z" },
        },
      ],
    });
  });

  it("makes one, with the fields that were given and no defaults beside them", async () => {
    const { url, control } = await startPanel();
    expect((await ask(`${url}/api/services`, "POST", JSON.stringify(SERVICE))).status).toBe(201);
    expect(control.calls).toEqual([["createService", SERVICE]]);
  });

  it.each([
    [{ ...SERVICE, port: 70_000 }, "port", "port: must be a whole number from 1 to 65535"],
    [{ ...SERVICE, subscribe_topic: "b/#" }, "subscribe_topic", /^subscribe_topic: /],
    [{ ...SERVICE, prot: 1 }, "prot", /^prot: is not a key that is known here/],
    [{ ...SERVICE, private_key: 1 }, "private_key", /^private_key: must be text/],
  ])("refuses a field that is wrong, by its path (%#)", async (body, path, message) => {
    const { url, control } = await startPanel();
    const { status, text } = await ask(`${url}/api/services`, "POST", JSON.stringify(body));
    const expected = { code: "INVALID_ARGUMENT", path, message: expect.stringMatching(message) };
    expect([status, JSON.parse(text)]).toEqual([400, { error: expected }]);
    expect(control.calls).toEqual([]);
  });

  it("does not repeat a pasted secret that stands where a key should", async () => {
    const { url } = await startPanel();
    const secret = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ";
    const { status, text } = await ask(`${url}/api/services`, "POST", JSON.stringify({ ...SERVICE, [secret]: 1 }));
    expect(status).toBe(400);
    expect(text).not.toContain(secret);
  });

  it.each(["", "[]", "1", '"x"', "null"])("refuses the body %j", async (body) => {
    const { url, control } = await startPanel();
    const { status, text } = await ask(`${url}/api/services`, "POST", body);
    expect([status, JSON.parse(text)]).toMatchObject([400, { error: { code: "INVALID_ARGUMENT" } }]);
    expect((await ask(`${url}/api/services/plant-a`, "PATCH", body)).status).toBe(400);
    expect(control.calls).toEqual([]);
  });

  it("refuses what is not JSON", async () => {
    const { url } = await startPanel();
    const { status, text } = await ask(`${url}/api/services`, "POST", '{"name":');
    expect([status, JSON.parse(text)]).toMatchObject([400, { error: { code: "INVALID_MESSAGE" } }]);
  });

  it("tells what the bridge refuses, with the place", async () => {
    const { url, control } = await startPanel();
    const context = { path: "services[1].subscribe_topic", where: "bridge.yaml:3:1" };
    control.outcome = () => Promise.reject(new SakuraError("INVALID_CONFIG", "it overlaps", { context }));
    const { status, text } = await ask(`${url}/api/services`, "POST", JSON.stringify(SERVICE));
    expect([status, JSON.parse(text)]).toEqual([
      422,
      { error: { code: "INVALID_CONFIG", message: "it overlaps", path: "services[1].subscribe_topic" } },
    ]);
  });

  it("changes fields, and puts one back to its default with null", async () => {
    const { url, control } = await startPanel();
    const changes = JSON.stringify({ name: "plant-c", port: null, qos: 1 });
    expect((await ask(`${url}/api/services/plant-a`, "PATCH", changes)).status).toBe(204);
    expect(control.calls).toStrictEqual([["editService", "plant-a", { name: "plant-c", port: undefined, qos: 1 }]]);
    const wrong = await ask(`${url}/api/services/plant-a`, "PATCH", '{"qos":2}');
    expect([wrong.status, JSON.parse(wrong.text)]).toMatchObject([400, { error: { path: "qos" } }]);
  });

  it("removes one; its messages only when that is asked for", async () => {
    const { url, control } = await startPanel();
    const context = { reason: "messages-waiting" };
    control.outcome = () => Promise.reject(new SakuraError("REFUSED", "5 messages wait", { context }));
    const refused = await ask(`${url}/api/services/plant-a`, "DELETE");
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([409, { error: { reason: "messages-waiting" } }]);
    control.outcome = () => Promise.resolve();
    expect((await ask(`${url}/api/services/plant-a?discard=true`, "DELETE")).status).toBe(204);
    expect((await ask(`${url}/api/services/plant-a?discard=yes`, "DELETE")).status).toBe(400);
    expect(control.calls).toEqual([
      ["removeService", "plant-a", { discard: false }],
      ["removeService", "plant-a", { discard: true }],
    ]);
  });

  it("removes what is kept of one that is gone", async () => {
    const { url, control } = await startPanel();
    const orphan = { service: "gone", waiting: 1, waitingBytes: 9, oldestAt: undefined, deadLetters: 1 };
    control.current = { ...control.current, orphans: [orphan] };
    expect((await ask(`${url}/api/services/gone/dead-letters`)).status).toBe(200);
    expect((await ask(`${url}/api/services/gone?discard=true`, "DELETE")).status).toBe(204);
    expect(control.calls).toEqual([
      ["deadLetters", "gone", { after: undefined, limit: 100 }],
      ["removeService", "gone", { discard: true }],
    ]);
  });

  it("takes any name, and says which one there is not", async () => {
    const { url, control } = await startPanel();
    const name = "工場 a/b?#%";
    control.current = { ...control.current, services: [serviceStats({ name })] };
    expect((await ask(`${url}/api/services/${encodeURIComponent(name)}/retry`, "POST")).status).toBe(204);
    expect(control.calls).toEqual([["retry", name]]);
    const { status, text } = await ask(`${url}/api/services/plant-a/retry`, "POST");
    expect([status, JSON.parse(text)]).toMatchObject([404, { error: { reason: "no-such-service" } }]);
  });
});

describe("dead letters", () => {
  const payload =
    '{"module":"u1","type":"channels","payload":{"channels":[{"channel":0,"type":"L","value":18446744073709551615}]}}';
  const letter = (id: string, text: string) => ({
    id,
    module: "u1",
    payload: new TextEncoder().encode(text),
    setAsideAt: T0,
    reason: "too large",
  });

  it("are listed by pages, to the digit", async () => {
    const { url, control } = await startPanel();
    control.letters = [letter("7", payload), letter("8", "not {json")];
    const { text } = await ask(`${url}/api/services/plant-a/dead-letters?after=6&limit=2`);
    expect(text).toBe(
      `{"deadLetters":[{"id":"7","module":"u1","reason":"too large","setAsideAt":"2026-01-02T03:04:05.000Z","message":${payload}},` +
        '{"id":"8","module":"u1","reason":"too large","setAsideAt":"2026-01-02T03:04:05.000Z","message":"not {json"}],"next":"8"}',
    );
    const all = await ask(`${url}/api/services/plant-a/dead-letters`);
    expect(JSON.parse(all.text)).toMatchObject({ next: null });
    expect(control.calls).toEqual([
      ["deadLetters", "plant-a", { after: "6", limit: 2 }],
      ["deadLetters", "plant-a", { after: undefined, limit: 100 }],
    ]);
    for (const query of ["limit=0", "limit=1001", "limit=x", "page=1", "limit=1&limit=2"]) {
      expect((await ask(`${url}/api/services/plant-a/dead-letters?${query}`)).status, query).toBe(400);
    }
  });

  it("are retried and deleted, some or all", async () => {
    const { url, control } = await startPanel();
    const path = `${url}/api/services/plant-a/dead-letters`;
    expect((await ask(`${path}/retry`, "POST", '{"ids":["7","8"]}')).text).toBe('{"retried":2}');
    expect((await ask(path, "DELETE", '{"ids":"all"}')).text).toBe('{"deleted":1}');
    for (const body of ["{}", '{"ids":[]}', '{"ids":"some"}', '{"ids":[7]}', '{"ids":"all","x":1}']) {
      expect((await ask(path, "DELETE", body)).status, body).toBe(400);
    }
    expect(control.calls).toEqual([
      ["retryDeadLetters", "plant-a", ["7", "8"]],
      ["deleteDeadLetters", "plant-a", "all"],
    ]);
  });
});

describe("POST /api/modules/:id/send", () => {
  const body = '{"type":"channels","payload":{"channels":[{"channel":1,"type":"L","value":18446744073709551615}]}}';
  const message = {
    type: "channels",
    module: "u1",
    payload: { channels: [{ channel: 1, type: "L", value: 18_446_744_073_709_551_615n }] },
  };

  it("brings a message down, its 64-bit value exact", async () => {
    const { url, control } = await startPanel();
    const { status, text } = await ask(`${url}/api/modules/u1/send`, "POST", body);
    expect([status, text]).toEqual([200, '{"status":"delivered"}']);
    expect(control.calls).toEqual([["send", message]]);
  });

  it("tells why it was not taken", async () => {
    const { url, control } = await startPanel();
    const context = { reason: "rx-queue-full", module: "u1" };
    control.outcome = () => Promise.reject(new SakuraError("REFUSED", "it is full", { context }));
    const { status, text } = await ask(`${url}/api/modules/u1/send`, "POST", body);
    expect([status, JSON.parse(text)]).toEqual([
      409,
      { error: { code: "REFUSED", message: "it is full", reason: "rx-queue-full" } },
    ]);
  });

  it("answers after ten seconds that it waits, and its later failure is nobody's crash", async () => {
    const clock = new VirtualClock();
    const { url, control } = await startPanel(clock);
    let fail: (error: Error) => void = () => undefined;
    control.outcome = () =>
      new Promise((_resolve, reject) => {
        fail = reject;
      });
    const called = control.called();
    const asked = ask(`${url}/api/modules/u1/send`, "POST", body);
    await called;
    await clock.advance(10_000);
    const { status, text } = await asked;
    expect([status, text]).toEqual([202, '{"status":"waiting"}']);
    fail(new SakuraError("REFUSED", "too late"));
    expect((await ask(`${url}/health/live`)).status).toBe(200);
  });

  it.each([
    [
      '{"type":"channels","payload":{"channels":[{"channel":1,"type":"i","value":2147483648}]}}',
      "payload.channels[0].value",
    ],
    ['{"type":"channels","module":"u2","payload":{"channels":[{"channel":1,"type":"i","value":1}]}}', "module"],
    ['{"type":"channels"}', "payload"],
  ])("refuses %s by its path", async (wrong, path) => {
    const { url, control } = await startPanel();
    const { status, text } = await ask(`${url}/api/modules/u1/send`, "POST", wrong);
    expect([status, JSON.parse(text)]).toMatchObject([400, { error: { path } }]);
    expect(control.calls).toEqual([]);
  });

  it("knows its modules", async () => {
    const { url } = await startPanel();
    const { status, text } = await ask(`${url}/api/modules/u9/send`, "POST", body);
    expect([status, JSON.parse(text)]).toMatchObject([404, { error: { reason: "no-such-module" } }]);
  });
});

describe("the rest of the API", () => {
  it("shows the downlinks that wait", async () => {
    const { url, control } = await startPanel();
    const message = {
      type: "channels",
      module: "u1",
      payload: { channels: [{ channel: 1, type: "l", value: -9_223_372_036_854_775_808n }] },
    } as const;
    control.waiting = [
      { service: "plant-a", message, since: T0, until: T0 + 600_000 },
      { service: undefined, message, since: T0, until: T0 + 600_000 },
    ];
    const rest =
      '"since":"2026-01-02T03:04:05.000Z","until":"2026-01-02T03:14:05.000Z","message":{"type":"channels","module":"u1","payload":{"channels":[{"channel":1,"type":"l","value":-9223372036854775808}]}}}';
    expect((await ask(`${url}/api/downlinks`)).text).toBe(
      `{"downlinks":[{"service":"plant-a",${rest},{"service":null,${rest}]}`,
    );
  });

  it("reloads the file", async () => {
    const { url } = await startPanel();
    expect(JSON.parse((await ask(`${url}/api/reload`, "POST")).text)).toEqual({
      services: { added: [], changed: ["plant-a"], removed: [] },
      modules: { added: [], changed: [], removed: [] },
      needsRestart: ["outbox.path"],
    });
  });
});
