import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AwsIotEndpoint, createAuthority } from "../../emulator/aws-iot/index.ts";
import { VirtualClock } from "../../emulator/clock.ts";
import { type LinkFactories, MemoryOutbox, startManagedBridge } from "../../host/bridge/index.ts";
import type { Clock } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import {
  connectClient,
  everything,
  messages,
  recordEvents,
  registered,
  startEndpoint,
} from "../emulator/aws-iot/support.ts";
import { failsWith } from "../support/errors.ts";
import { Events, FakeLink, temporaryDirectory } from "./support.ts";

const authority = createAuthority();

/** A directory with a bridge's file: two services at the endpoint, and two modules. */
async function desk(endpoint?: AwsIotEndpoint) {
  const directory = temporaryDirectory();
  const { privateKey, certificate } = endpoint
    ? await registered(endpoint, everything)
    : await (await authority).issueClient("a test's");
  const root = endpoint?.authority.certificate ?? (await authority).certificate;
  for (const [name, pem] of Object.entries({ root, cert: certificate, key: privateKey })) {
    writeFileSync(join(directory, `${name}.pem`), pem, { mode: 0o600 });
  }
  const service = (name: string): string => `  - name: ${name} # ${name}'s
    type: aws-iot
    hostname: 127.0.0.1
    port: ${endpoint?.port ?? 9}
    publish_prefix: ${name}/up
    subscribe_topic: ${name}/down
    rootca_cert: root.pem
    cert: cert.pem
    private_key: key.pem
`;
  const text = `services:\n${service("one")}${service("two")}modules:
  - { id: u1, link: emulated, uart: pty }
  - { id: u2, link: emulated, uart: pty }
outbox: { path: box }
`;
  const file = join(directory, "bridge.yaml");
  writeFileSync(file, text, { mode: 0o640 });
  return { directory, file, text, pems: { root, certificate, privateKey } };
}

async function start(file: string, options: { readonly clock?: Clock } = {}) {
  const events = new Events();
  const links: FakeLink[] = [];
  const factory = ({ id }: { readonly id: string }): FakeLink => {
    const link = new FakeLink(id);
    links.push(link);
    return link;
  };
  const factories: LinkFactories = { emulated: factory, module: factory };
  const outbox = new MemoryOutbox(1_000_000);
  const bridge = await startManagedBridge({ file, links: factories, outbox, onEvent: events.listener, ...options });
  onTestFinished(() => bridge.close());
  const link = (id: string): FakeLink => {
    const found = links.findLast(({ module }) => module === id);
    if (!found) throw new Error(`no link ${id}`);
    return found;
  };
  const online = (service: string, from = 0) =>
    events.first(
      (event) => event.type === "service" && event.service === service && event.state.state === "online",
      from,
    );
  return { bridge, events, links, link, online, outbox };
}

const waiting = (bridge: { stats(): { services: readonly { name: string; waiting: number }[] } }) =>
  Object.fromEntries(bridge.stats().services.map((service) => [service.name, service.waiting]));

describe("an edited service", () => {
  it("connects again, and only it", async () => {
    const endpoint = await startEndpoint();
    const log = recordEvents(endpoint);
    const { file, text, directory } = await desk(endpoint);
    const { bridge, events, link, online } = await start(file);
    await Promise.all([online("one"), online("two")]);
    const [one, two] = bridge.services();
    const from = events.all.length;
    await bridge.editService("one", { publish_prefix: "other/up" });
    await online("one", from);
    const cloud = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "cloud" });
    await cloud.subscribeAsync("#");
    const arrived = messages(cloud, 2);
    await link("u1").send(7);
    expect((await arrived).map((line) => line.slice(0, line.indexOf(" "))).sort()).toEqual([
      "other/up/u1",
      "two/up/u1",
    ]);
    const connects = log.all.flatMap((event) => (event.type === "connected" ? [event.clientId] : []));
    expect(connects.filter((id) => id === one?.clientId)).toHaveLength(2);
    expect(connects.filter((id) => id === two?.clientId)).toHaveLength(1);
    expect(readFileSync(file, "utf8")).toBe(text.replace("publish_prefix: one/up", "publish_prefix: other/up"));
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(directory).sort()).toEqual(["box", "bridge.yaml", "cert.pem", "key.pem", "root.pem"]);
  });

  it("hands over what waited, under its new name and prefix", async () => {
    const endpoint = await startEndpoint();
    const { file, text } = await desk(endpoint);
    writeFileSync(file, text.replace(/port: \d+/, "port: 9"));
    const { bridge, link } = await start(file);
    const cloud = await connectClient(endpoint, await registered(endpoint, everything), { clientId: "cloud" });
    await cloud.subscribeAsync("first/#");
    const arrived = messages(cloud, 3);
    for (const value of [1, 2]) await link("u1").send(value);
    await bridge.editService("one", { name: "first", publish_prefix: "first/up", port: endpoint.port });
    await link("u2").send(3);
    expect((await arrived).map((line) => `${line.slice(0, 12)}${/"value":\d/.exec(line)?.[0]}`)).toEqual([
      'first/up/u1 "value":1',
      'first/up/u1 "value":2',
      'first/up/u2 "value":3',
    ]);
  });

  it("keeps its client id and what waits when it gets another name", async () => {
    const { file, text, directory } = await desk();
    const { bridge, link, outbox } = await start(file);
    const before = bridge.services()[0]?.clientId;
    await link("u1").send(1);
    await bridge.editService("one", { name: "first" });
    await link("u1").send(2);
    expect(waiting(bridge)).toEqual({ first: 2, two: 2 });
    expect(outbox.lanes()).toEqual(["two", "first"]);
    expect(bridge.services().map(({ name, clientId }) => [name, clientId === before])).toEqual([
      ["first", true],
      ["two", false],
    ]);
    const ids: unknown = JSON.parse(readFileSync(join(directory, "box", "client-ids.json"), "utf8"));
    expect(ids).toEqual({ first: before, two: expect.any(String) });
    expect(readFileSync(file, "utf8")).toBe(text.replace("name: one #", "name: first #"));
  });

  it("tries again though nothing was changed", async () => {
    const { file } = await desk();
    // By itself it would wait for ever.
    const { bridge, events } = await start(file, { clock: new VirtualClock() });
    const isTry = (nextAttempt: boolean) => (event: (typeof events.all)[number]) =>
      event.type === "service" &&
      event.service === "one" &&
      event.state.state === "error" &&
      (event.state.nextAttempt !== undefined) === nextAttempt;
    await events.first(isTry(true));
    const from = events.all.length;
    await bridge.editService("one", {});
    await events.first(isTry(false), from);
  });

  it.each([
    [{ subscribe_topic: "one/up/x" }, "INVALID_CONFIG", /^bridge\.yaml:7:5 services\[0\]\.subscribe_topic: overlaps/],
    [{ name: "two" }, "INVALID_CONFIG", /services\[1\]\.name: is the name of services\[0\] too/],
    [{ hostname: undefined }, "INVALID_CONFIG", /services\[0\]\.hostname: is missing/],
    [{ cert: "no.pem" }, "INVALID_CONFIG", /services\[0\]\.cert: no\.pem is not there/],
    [
      { private_key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----" },
      "INVALID_CONFIG",
      /has a damaged private key/,
    ],
  ] as const)("that is wrong changes nothing: %j", async (changes, code, words) => {
    const { file, text, directory } = await desk();
    const { bridge, events } = await start(file);
    await events.first((event) => event.type === "service" && event.state.state === "error");
    const from = events.all.length;
    expect((await failsWith(code, bridge.editService("one", changes))).message).toMatch(words);
    expect(readFileSync(file, "utf8")).toBe(text);
    expect(
      readdirSync(directory)
        .filter((name) => name === "certs")
        .flatMap((name) => readdirSync(join(directory, name))),
    ).toEqual([]);
    expect(
      events.all.slice(from).filter((event) => event.type === "service" && event.state.state === "stopped"),
    ).toEqual([]);
    expect(bridge.services().map(({ name }) => name)).toEqual(["one", "two"]);
  });

  it("whose lane cannot be renamed keeps its name in the file too", async () => {
    const { file, text } = await desk();
    const { bridge, link, outbox } = await start(file);
    await link("u1").send(1);
    const { rename } = outbox;
    outbox.rename = () => {
      outbox.rename = rename;
      return Promise.reject(new SakuraError("REFUSED", "the disk is full"));
    };
    await failsWith("REFUSED", bridge.editService("one", { name: "a" }));
    expect(readFileSync(file, "utf8")).toBe(text);
    await bridge.reload();
    expect(bridge.stats().services.map(({ name, waiting }) => [name, waiting])).toEqual([
      ["one", 1],
      ["two", 1],
    ]);
    expect(bridge.stats().orphans).toEqual([]);
  });

  it("that may not have another's name leaves that one its client id", async () => {
    const { file, directory } = await desk();
    const { bridge } = await start(file);
    const kept = (): string => readFileSync(join(directory, "box", "client-ids.json"), "utf8");
    const before = kept();
    expect(Object.keys(JSON.parse(before))).toContain("two");
    await failsWith("INVALID_CONFIG", bridge.editService("one", { name: "two" }));
    expect(kept()).toBe(before);
  });

  it("may be one that is not there", async () => {
    const { file } = await desk();
    const { bridge } = await start(file);
    expect((await failsWith("INVALID_ARGUMENT", bridge.editService("x", { port: 1 }))).message).toBe(
      "there is no service x in bridge.yaml",
    );
    await failsWith("INVALID_ARGUMENT", bridge.removeService("x", { discard: true }));
    await failsWith("INVALID_ARGUMENT", bridge.deadLetters("x", { limit: 1 }));
    expect(() => bridge.retry("x")).toThrow("there is no service x");
  });

  it("keeps what somebody wrote into the file meanwhile, and takes it up", async () => {
    const { file, text } = await desk();
    const { bridge, links } = await start(file);
    const theirs = text.replace("modules:", "# mine\nmodules:").replace("id: u2", "id: u3");
    writeFileSync(file, theirs);
    await bridge.editService("two", { qos: 1 });
    expect(readFileSync(file, "utf8")).toBe(theirs.replace("key.pem\n# mine", "key.pem\n    qos: 1\n# mine"));
    expect(links.map(({ module }) => module)).toEqual(["u1", "u2", "u3"]);
  });

  it("comes one after the other with all other changes", async () => {
    const { file, text } = await desk();
    const { bridge } = await start(file);
    await Promise.all([
      bridge.editService("one", { name: "a" }),
      bridge.editService("a", { name: "b" }),
      bridge.editService("two", { port: 10 }),
      bridge.reload(),
      bridge.editService("b", { qos: 1 }),
    ]);
    expect(readFileSync(file, "utf8")).toBe(
      text
        .replace("name: one #", "name: b #")
        .replace("key.pem\n  - name: two", "key.pem\n    qos: 1\n  - name: two")
        .replace(/port: 9\n(?=.*\n.*two\/down)/, "port: 10\n"),
    );
  });

  it("rewrites what a symbolic link points to", async () => {
    const { file, text, directory } = await desk();
    const link = join(temporaryDirectory(), "link.yaml");
    writeFileSync(
      file,
      text.replaceAll(/(root|cert|key)\.pem/g, `${directory}/$1.pem`).replace("path: box", `path: ${directory}/box`),
    );
    symlinkSync(file, link);
    const { bridge } = await start(link);
    await bridge.editService("one", { port: 10 });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, "utf8")).toContain("port: 10\n");
  });

  it.runIf(process.getuid?.() !== 0 && process.platform !== "win32")(
    "is refused when the file cannot be written",
    async () => {
      const { file, text, directory } = await desk();
      const { bridge } = await start(file);
      chmodSync(directory, 0o500);
      onTestFinished(() => chmodSync(directory, 0o700));
      await failsWith("FILE_FAILED", bridge.editService("one", { port: 10 }));
      expect(readFileSync(file, "utf8")).toBe(text);
    },
  );
});

describe("a new service", () => {
  it("is started; its PEM texts are in files for their owner alone, and its key is shown nowhere", async () => {
    const endpoint = await startEndpoint();
    const { file, text, directory, pems } = await desk(endpoint);
    const { bridge, online } = await start(file);
    await bridge.createService({
      name: "plant c/3",
      type: "aws-iot",
      hostname: "127.0.0.1",
      port: endpoint.port,
      publish_prefix: "c/up",
      subscribe_topic: "c/down",
      rootca_cert: pems.root,
      cert: pems.certificate,
      private_key: pems.privateKey,
    });
    await online("plant c/3");
    const changed = readFileSync(file, "utf8");
    expect(changed).toMatch(
      /- name: plant c\/3\n {4}type: aws-iot\n {4}hostname: 127\.0\.0\.1\n {4}port: \d+\n {4}publish_prefix: c\/up\n {4}subscribe_topic: c\/down\n {4}rootca_cert: certs\/plant-c-3-root-[0-9a-f]{12}\.pem\n {4}cert: certs\/plant-c-3-cert-[0-9a-f]{12}\.pem\n {4}private_key: certs\/plant-c-3-key-[0-9a-f]{12}\.pem\nmodules:\n/,
    );
    expect(changed.replace(/ {2}- name: plant c\/3\n[\s\S]*?(?=modules:)/, "")).toBe(text);
    const files = readdirSync(join(directory, "certs"));
    expect(files).toHaveLength(3);
    for (const name of files) expect(statSync(join(directory, "certs", name)).mode & 0o777).toBe(0o600);
    const view = bridge.services()[2];
    expect(view).toMatchObject({
      name: "plant c/3",
      qos: 0,
      certificate: { subject: "CN=a test's", from: expect.stringMatching(/^certs\/plant-c-3-cert-/) },
      privateKeyFrom: expect.stringMatching(/^certs\/plant-c-3-key-/),
    });
    expect(view?.certificate.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(view?.certificate.validTo).toBeGreaterThan(view?.certificate.validFrom ?? Number.NaN);
    expect(JSON.stringify([bridge.services(), bridge.stats()])).not.toContain("PRIVATE");
    expect(changed).not.toContain("PRIVATE");
  });

  it("that cannot connect is in state error, and stays", async () => {
    const { file } = await desk();
    const { bridge, events } = await start(file);
    await bridge.createService({
      name: "c",
      type: "aws-iot",
      hostname: "127.0.0.1",
      port: 9,
      publish_prefix: "c/up",
      subscribe_topic: "c/down",
      rootca_cert: "root.pem",
      cert: "cert.pem",
      private_key: "key.pem",
    });
    await events.first((event) => event.type === "service" && event.service === "c" && event.state.state === "error");
    expect(readFileSync(file, "utf8")).toContain("- name: c\n");
  });
});

describe("a removed service", () => {
  it("is not removed while messages wait for it, unless they are to be discarded", async () => {
    const { file, text } = await desk();
    const { bridge, link, outbox, events } = await start(file);
    await link("u1").send(1);
    const error = await failsWith("REFUSED", bridge.removeService("two", { discard: false }));
    expect(error.context).toEqual({ reason: "messages-waiting", service: "two" });
    expect(readFileSync(file, "utf8")).toBe(text);
    await bridge.removeService("two", { discard: true });
    expect(readFileSync(file, "utf8")).toBe(text.replace(/ {2}- name: two[\s\S]*?(?=modules:)/, ""));
    expect(outbox.lanes()).toEqual(["one"]);
    expect(bridge.stats().orphans).toEqual([]);
    expect(events.all.filter(({ type }) => type === "service-removed")).toEqual([
      { type: "service-removed", service: "two", waiting: 0 },
    ]);
  });

  it("takes nobody else's messages with it, whom somebody took out of the file meanwhile", async () => {
    const { file, text } = await desk();
    const { bridge, link } = await start(file);
    await bridge.createService({
      ...{ name: "c", type: "aws-iot", hostname: "127.0.0.1", port: 9, publish_prefix: "c/up" },
      ...{ subscribe_topic: "c/down", rootca_cert: "root.pem", cert: "cert.pem", private_key: "key.pem" },
    });
    await link("u1").send(1);
    writeFileSync(file, text);
    await bridge.removeService("two", { discard: true });
    expect(bridge.stats().services.map(({ name, waiting }) => [name, waiting])).toEqual([["one", 1]]);
    expect(bridge.stats().orphans).toMatchObject([{ service: "c", waiting: 1 }]);
  });

  it("may not be the last", async () => {
    const { file } = await desk();
    const { bridge } = await start(file);
    await bridge.removeService("two", { discard: false });
    expect((await failsWith("INVALID_CONFIG", bridge.removeService("one", { discard: false }))).message).toMatch(
      /services: is empty: describe at least one service/,
    );
  });
});

describe("a file that was changed", () => {
  it("is read again: what it changes is changed, and nothing else", async () => {
    const { file, text } = await desk();
    const { bridge, events, link, links } = await start(file);
    await link("u1").send(1);
    const from = events.all.length;
    writeFileSync(
      file,
      text
        .replace(/ {2}- name: one[\s\S]*?(?= {2}- name: two)/, "")
        .replace("two/down", "two/other")
        .replace("{ id: u1, link: emulated, uart: pty }", '{ id: u1, link: module, port: "uart:/dev/ttyX" }')
        .replace("- { id: u2, link: emulated, uart: pty }", "- { id: u3, link: emulated, uart: pty }")
        .replace("{ path: box }", "{ path: box, max_bytes: 1MiB }\nhttp: { listen: '127.0.0.1:0' }"),
    );
    expect(await bridge.reload()).toEqual({
      services: { added: [], changed: ["two"], removed: ["one"] },
      modules: { added: ["u3"], changed: ["u1"], removed: ["u2"] },
      needsRestart: ["outbox.max_bytes", "http.listen"],
    });
    expect(links.map(({ module }) => module)).toEqual(["u1", "u2", "u1", "u3"]);
    expect(links.map((each) => each.state().state)).toEqual(["stopped", "stopped", "up", "up"]);
    expect(bridge.stats()).toMatchObject({
      services: [{ name: "two", waiting: 1 }],
      orphans: [{ service: "one", waiting: 1, deadLetters: 0 }],
      links: [{ module: "u1" }, { module: "u3" }],
    });
    expect(events.all.slice(from)).toContainEqual({ type: "service-removed", service: "one", waiting: 1 });
    expect(events.all.slice(from)).toContainEqual({ type: "link-removed", module: "u2" });
    await bridge.removeService("one", { discard: true });
    expect(bridge.stats().orphans).toEqual([]);
    expect(await bridge.reload()).toMatchObject({
      services: { added: [], changed: [], removed: [] },
      needsRestart: [],
    });
  });

  it("replaces a service whose certificate is another, and none whose certificate was only moved", async () => {
    const { file, text, directory } = await desk();
    const { bridge } = await start(file);
    writeFileSync(join(directory, "moved.pem"), readFileSync(join(directory, "cert.pem")));
    writeFileSync(file, text.replace("cert: cert.pem", "cert: moved.pem"));
    expect((await bridge.reload()).services.changed).toEqual([]);
    expect(bridge.services()[0]?.certificate.from).toBe("moved.pem");
    const other = await (await authority).issueClient("a new one");
    writeFileSync(join(directory, "moved.pem"), other.certificate);
    writeFileSync(join(directory, "key.pem"), other.privateKey);
    await failsWith("INVALID_CONFIG", bridge.reload());
    writeFileSync(join(directory, "cert.pem"), other.certificate);
    expect((await bridge.reload()).services.changed).toEqual(["one", "two"]);
  });

  it("that is wrong changes nothing, and says why", async () => {
    const { file, text } = await desk();
    const { bridge, links } = await start(file);
    writeFileSync(file, `${text}panel: {}\n`);
    expect((await failsWith("INVALID_CONFIG", bridge.reload())).message).toMatch(
      /^bridge\.yaml:\d+:1 panel: is not a key/,
    );
    writeFileSync(file, text.replace("link: emulated, uart: pty", "link: tap, mcu: pty, module: uart:/dev/ttyX"));
    expect((await failsWith("INVALID_CONFIG", bridge.reload())).message).toMatch(
      /modules\[0\]\.link: this program has no link tap/,
    );
    expect(links).toHaveLength(2);
    expect(existsSync(file)).toBe(true);
  });

  it("is not read any more after the end", async () => {
    const { file } = await desk();
    const { bridge } = await start(file);
    await bridge.close();
    await failsWith("CLOSED", bridge.reload());
    await failsWith("CLOSED", bridge.editService("one", { port: 1 }));
  });
});

describe("dead letters", () => {
  it("are listed, retried and deleted", async () => {
    const { file } = await desk();
    const { bridge, link, outbox } = await start(file);
    for (const value of [1, 2, 3]) await link("u1").send(value);
    const lane = outbox.lane("one");
    for (const reason of ["a", "b"]) {
      const message = lane.next();
      if (message) await lane.setAside(message, reason);
    }
    expect(bridge.stats().services[0]).toMatchObject({ waiting: 1, deadLetters: 2 });
    const letters = await bridge.deadLetters("one", { limit: 10 });
    expect(letters.map(({ reason }) => reason)).toEqual(["a", "b"]);
    await failsWith("REFUSED", bridge.removeService("one", { discard: false }));
    expect(await bridge.retryDeadLetters("one", [letters[0]?.id ?? ""])).toBe(1);
    expect(await bridge.deleteDeadLetters("one", "all")).toBe(1);
    expect(bridge.stats().services[0]).toMatchObject({ waiting: 2, deadLetters: 0 });
  });
});
