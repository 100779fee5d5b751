import { X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createAuthority } from "../../emulator/aws-iot/index.ts";
import { withClientIds } from "../../host/config/client-ids.ts";
import { loadConfig, parseConfig } from "../../host/config/load.ts";
import { isSakuraError, type SakuraError } from "../../protocol/errors.ts";

const authority = await createAuthority();
const identity = await authority.issueClient("a test's");

/** A directory with root.pem, cert.pem and key.pem, gone after the test. */
function workplace(): string {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-config-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "root.pem"), authority.certificate);
  writeFileSync(join(directory, "cert.pem"), identity.certificate);
  writeFileSync(join(directory, "key.pem"), identity.privateKey);
  return directory;
}

const GOOD = `services:
  - name: plant-a
    type: aws-iot
    hostname: xxxxxxxx-ats.iot.ap-northeast-1.amazonaws.com
    publish_prefix: sakura/up
    subscribe_topic: sakura/down
    rootca_cert: root.pem
    cert: cert.pem
    private_key: key.pem
modules:
  - { id: u0123456789a, link: emulated, uart: pty }
  - { id: u0123456789b, link: module, port: "uart:/dev/ttyUSB1" }
`;

function problemOf(text: string, directory = workplace()): SakuraError {
  try {
    parseConfig(text, { name: "bridge.yaml", directory });
  } catch (error) {
    if (isSakuraError(error, "INVALID_CONFIG")) return error;
    throw error;
  }
  throw new Error("the configuration was taken");
}

/** The good file with one thing replaced. */
const but = (from: string, to: string): string => {
  if (!GOOD.includes(from)) throw new Error(`${from} does not stand in the file`);
  return GOOD.replace(from, to);
};
/** The good file with one more line in the service. */
const withField = (line: string): string =>
  but("    private_key: key.pem\n", `    private_key: key.pem\n    ${line}\n`);
/** A second service. */
const second = (fields: string): string =>
  but(
    "modules:\n",
    `  - name: plant-b
    type: aws-iot
    rootca_cert: root.pem
    cert: cert.pem
    private_key: key.pem
    ${fields.replaceAll("\n", "\n    ")}
modules:
`,
  );

describe("a configuration", () => {
  it("names adapters by their USB ids, two of a kind by their serial numbers", () => {
    const text = but("uart: pty", 'uart: "usb:0403:6001:A5?baud=9600"').replace(
      "uart:/dev/ttyUSB1",
      "uart:usb:0403:6001:B6",
    );
    expect(parseConfig(text, { name: "bridge.yaml", directory: workplace() }).modules).toMatchObject([
      { uart: "usb:0403:6001:A5?baud=9600" },
      { port: "uart:usb:0403:6001:B6" },
    ]);
  });

  it("has an emulated module on a UART, behind a Bus Pirate, or on both", () => {
    const directory = workplace();
    const placesOf = (text: string) => {
      const [module] = parseConfig(text, { name: "bridge.yaml", directory }).modules;
      return module?.link === "emulated" ? [module.uart, module.bus_pirate] : [];
    };
    expect(placesOf(GOOD)).toEqual(["pty", undefined]);
    expect(placesOf(but("uart: pty", 'bus_pirate: "pty:run/i2c"'))).toEqual([
      undefined,
      `pty:${join(directory, "run", "i2c")}`,
    ]);
    expect(placesOf(but("uart: pty", "uart: pty, bus_pirate: /dev/ttyUSB2"))).toEqual(["pty", "/dev/ttyUSB2"]);
  });

  it("has defaults, absolute paths, and its certificates loaded", () => {
    const directory = workplace();
    const config = parseConfig(GOOD, { name: "bridge.yaml", directory });
    const { credentials, ...service } = config.services[0] ?? {};
    expect(service).toEqual({
      name: "plant-a",
      type: "aws-iot",
      hostname: "xxxxxxxx-ats.iot.ap-northeast-1.amazonaws.com",
      port: 8883,
      publish_prefix: "sakura/up",
      subscribe_topic: "sakura/down",
      qos: 0,
      connections: 1,
      keep_alive: 30,
    });
    expect(credentials?.certificate.subject).toBe("CN=a test's");
    expect(credentials?.privateKey.type).toBe("private");
    expect(config.modules).toEqual([
      { id: "u0123456789a", link: "emulated", uart: "pty", tx_queue: 32, rx_queue: 32 },
      { id: "u0123456789b", link: "module", port: "uart:/dev/ttyUSB1", poll_ms: 1000, mirror: false },
    ]);
    expect(config.outbox).toEqual({ path: join(directory, "outbox"), max_bytes: 268_435_456, when_full: "refuse" });
    expect(config.downlinks).toEqual({ max_waiting: 100, max_age: 600_000 });
    expect(config.http).toBeUndefined();
  });

  it("is read from a file, to which its paths are relative", () => {
    const directory = workplace();
    mkdirSync(join(directory, "etc"));
    const file = join(directory, "etc", "bridge.yaml");
    const text = `${GOOD.replaceAll(/(root|cert|key)\.pem/g, "../$1.pem")
      .replace("uart: pty", 'uart: "pty:run/mcu"')
      .replace("uart:/dev/ttyUSB1", "uart:./tty")}outbox: { path: ../box, max_bytes: 64KiB }\n`;
    writeFileSync(file, text);
    const { modules, outbox } = loadConfig(file);
    expect(
      modules.map((module) => (module.link === "module" ? module.port : module.link === "emulated" ? module.uart : "")),
    ).toEqual([`pty:${join(directory, "etc", "run", "mcu")}`, `uart:${join(directory, "etc", "tty")}`]);
    expect(outbox).toEqual({ path: join(directory, "box"), max_bytes: 65_536, when_full: "refuse" });
  });

  it("takes PEM text in place of a path", () => {
    const indented = (pem: string): string => `|\n${pem.trimEnd().replaceAll(/^/gm, "      ")}`;
    const text = GOOD.replace("root.pem", indented(authority.certificate))
      .replace("cert.pem", indented(identity.certificate))
      .replace("key.pem", indented(identity.privateKey));
    const config = parseConfig(text, { name: "bridge.yaml", directory: tmpdir() });
    expect(config.services[0]?.credentials.certificate.subject).toBe("CN=a test's");
  });

  it("keeps the key from being printed by mistake", () => {
    const config = parseConfig(GOOD, { name: "bridge.yaml", directory: workplace() });
    expect(JSON.stringify(config)).not.toContain("PRIVATE KEY");
    expect(JSON.stringify(config.services[0]?.credentials.privateKey)).toBe("{}");
  });

  it("does not mind a certificate that has expired", async () => {
    const expired = await authority.issueClient("old", { notAfter: new Date("2020-02-03T04:05:06Z") });
    const directory = workplace();
    writeFileSync(join(directory, "cert.pem"), expired.certificate);
    writeFileSync(join(directory, "key.pem"), expired.privateKey);
    expect(parseConfig(GOOD, { name: "bridge.yaml", directory }).services).toHaveLength(1);
  });

  it.each([
    ["256MiB", 268_435_456],
    ["64 KiB", 65_536],
    ["1GiB", 1_073_741_824],
    ["100000", 100_000],
    ["100000B", 100_000],
  ])("takes %s for a size", (size, bytes) => {
    const config = parseConfig(`${GOOD}outbox: { max_bytes: ${size} }\n`, { name: "b", directory: workplace() });
    expect(config.outbox.max_bytes).toBe(bytes);
  });

  it("takes every optional field, and topics of other services that do not meet", () => {
    const text = second(
      "hostname: xxxxxxxx.iot.ap-northeast-1.amazonaws.com\npublish_prefix: b/up\nsubscribe_topic: b/down",
    ).replace(
      "subscribe_topic: b/down",
      "subscribe_topic: b/down\n    port: 443\n    client_id: b\n    qos: 1\n    connections: 4\n    keep_alive: 1200\n    result_topic: $aws/rules/results/b\n    max_publish_rate: 20\n    modules: [u0123456789b]",
    );
    const rest =
      'outbox: { max_age: 7d, when_full: drop-oldest }\ndownlinks: { max_waiting: 0, max_age: 90s }\nhttp: { listen: "[::1]:0" }\n';
    const config = parseConfig(text + rest, { name: "bridge.yaml", directory: workplace() });
    expect(config.outbox).toMatchObject({ max_bytes: 268_435_456, max_age: 604_800_000, when_full: "drop-oldest" });
    expect(config.downlinks).toEqual({ max_waiting: 0, max_age: 90_000 });
    expect(config.http).toEqual({ listen: "[::1]:0" });
    expect(config.services[1]).toMatchObject({
      port: 443,
      client_id: "b",
      qos: 1,
      connections: 4,
      keep_alive: 1200,
      result_topic: "$aws/rules/results/b",
      max_publish_rate: 20,
      modules: ["u0123456789b"],
    });
  });
});

describe("certificates and keys", () => {
  const KEY = "SAKURAIO_TEST_KEY";
  const withVariable = (text: string | undefined): string => {
    if (text === undefined) delete process.env[KEY];
    else process.env[KEY] = text;
    onTestFinished(() => {
      delete process.env[KEY];
    });
    return but("private_key: key.pem", `private_key: env:${KEY}`);
  };

  it.each([
    ["with its lines", identity.privateKey],
    ["on one line", identity.privateKey.replaceAll("\n", "\\n")],
  ])("may come from an environment variable, %s", (_how, value) => {
    const { services } = parseConfig(withVariable(value), { name: "bridge.yaml", directory: workplace() });
    expect(services[0]?.credentials.from).toEqual({
      rootCa: "root.pem",
      certificate: "cert.pem",
      privateKey: "env:SAKURAIO_TEST_KEY",
    });
  });

  it.each([
    [
      undefined,
      "env:SAKURAIO_TEST_KEY is not set: give the bridge an environment variable SAKURAIO_TEST_KEY with the PEM text",
    ],
    [
      "",
      "env:SAKURAIO_TEST_KEY is not set: give the bridge an environment variable SAKURAIO_TEST_KEY with the PEM text",
    ],
    [
      identity.certificate,
      "env:SAKURAIO_TEST_KEY is a certificate, not a private key: are cert and private_key exchanged?",
    ],
  ])("in a variable that does not do are told: case %#", (value, words) => {
    expect(problemOf(withVariable(value)).message).toBe(`bridge.yaml:9:5 services[0].private_key: ${words}`);
  });

  it("in a variable are never shown", () => {
    const body = identity.privateKey.split("\n")[1] ?? "";
    const problem = problemOf(withVariable(body));
    expect(`${problem.message}${problem.stack}${JSON.stringify(problem.context)}`).not.toContain(body.slice(0, 12));
    const pasted = problemOf(but("private_key: key.pem", `private_key: "env:${body}="`));
    expect(`${pasted.message}${pasted.stack}${JSON.stringify(pasted.context)}`).not.toContain(body.slice(0, 12));
  });

  // As published by VeriSign and by Amazon Trust Services; the fingerprints stand on their own pages.
  it.each([
    [
      "VeriSign-Class-3-G5.pem",
      "9A:CF:AB:7E:43:C8:D8:80:D0:6B:26:2A:94:DE:EE:E4:B4:65:99:89:C3:D0:CA:F1:9B:AF:64:05:E4:1A:B7:DF",
    ],
    [
      "AmazonRootCA1.pem",
      "8E:CD:E6:88:4F:3D:87:B1:12:5B:A3:1A:C3:FC:B1:3D:70:16:DE:7F:57:CC:90:4F:E1:CB:97:C6:AE:98:19:6E",
    ],
  ])("may be of either root: %s (aws-iot §2)", (root, fingerprint) => {
    const directory = workplace();
    writeFileSync(join(directory, "root.pem"), readFileSync(join(import.meta.dirname, "..", "vectors", "roots", root)));
    const { services } = parseConfig(GOOD, { name: "bridge.yaml", directory });
    expect(new X509Certificate(services[0]?.credentials.rootCa ?? "").fingerprint256).toBe(fingerprint);
  });

  it.runIf(process.platform !== "win32")("that others may read are warned of, and taken", () => {
    const directory = workplace();
    chmodSync(join(directory, "key.pem"), 0o640);
    expect(parseConfig(GOOD, { name: "bridge.yaml", directory }).warnings).toEqual([
      "bridge.yaml:9:5 services[0].private_key: key.pem may be read by others than its owner: chmod 600 it",
    ]);
    chmodSync(join(directory, "key.pem"), 0o600);
    expect(parseConfig(GOOD, { name: "bridge.yaml", directory }).warnings).toEqual([]);
  });
});

describe("a mistake in a configuration", () => {
  it.each([
    // the file as a whole
    ["", "bridge.yaml:1:1: is empty: describe services and modules"],
    ["- 1", "bridge.yaml:1:1: must be a mapping, with the keys services, modules, outbox, downlinks, http"],
    ["services: []\nmodules: []", "bridge.yaml:1:1 services: is empty: describe at least one service"],
    [GOOD.replace(/modules:.*/s, ""), "bridge.yaml:1:1 modules: is missing: the modules"],
    // http
    [`${GOOD}http: {}`, 'bridge.yaml:13:1 http.listen: is missing: "127.0.0.1:8080"'],
    [
      `${GOOD}http: { listen: "0.0.0.0:8080" }`,
      'bridge.yaml:13:9 http.listen: must be an address of this machine alone and a port, such as "127.0.0.1:8080"',
    ],
    [`${GOOD}http: { listen: "127.0.0.1:65536" }`, /http\.listen: must be an address/],
    [`${GOOD}http: { listen: "localhost" }`, /http\.listen: must be an address/],
    [`${GOOD}http: { listen: "[::]:80" }`, /http\.listen: must be an address/],
    [`${GOOD}http: { listen: 8080 }`, /http\.listen: must be text/],
    // keys
    [
      withField("hostnam: x"),
      /^bridge\.yaml:10:5 services\[0\]\.hostnam: is not a key that is known here: the keys are name, type, hostname, /,
    ],
    [but("hostname:", "hostnmae:"), /^bridge\.yaml:4:5 services\[0\]\.hostnmae: is not a key/],
    [but("uart: pty", "uart: pty, files: x"), /^bridge\.yaml:11:52 modules\[0\]\.files: is not a key/],
    // fields
    [
      but("hostname: xxxxxxxx-ats.iot.ap-northeast-1.amazonaws.com", "port: 8883"),
      /^bridge\.yaml:2:5 services\[0\]\.hostname: is missing: the endpoint, such as/,
    ],
    [
      but("hostname: xxxxxxxx", "hostname: https://xxxxxxxx"),
      "bridge.yaml:4:5 services[0].hostname: must be a host name alone, without https://, port or path",
    ],
    [
      but("hostname: xxxxxxxx-ats.iot.ap-northeast-1.amazonaws.com", "hostname: 5"),
      /^bridge\.yaml:4:5 services\[0\]\.hostname: must be text/,
    ],
    [but("aws-iot", "azure"), "bridge.yaml:3:5 services[0].type: must be aws-iot"],
    [withField("port: 0"), "bridge.yaml:10:5 services[0].port: must be a whole number from 1 to 65535"],
    [withField("port: 65536"), "bridge.yaml:10:5 services[0].port: must be a whole number from 1 to 65535"],
    [withField("port: '8883'"), "bridge.yaml:10:5 services[0].port: must be a whole number from 1 to 65535"],
    [withField("port: 8883.5"), "bridge.yaml:10:5 services[0].port: must be a whole number from 1 to 65535"],
    [withField("qos: 2"), "bridge.yaml:10:5 services[0].qos: must be 0 or 1: AWS IoT knows no QoS 2"],
    [withField("qos: '1'"), /qos: must be 0 or 1/],
    [withField("connections: 0"), "bridge.yaml:10:5 services[0].connections: must be a whole number from 1 to 32"],
    [withField("connections: 33"), /connections: must be a whole number from 1 to 32/],
    [withField("keep_alive: 29"), "bridge.yaml:10:5 services[0].keep_alive: must be a whole number from 30 to 1200"],
    [withField("keep_alive: 1201"), /keep_alive: must be a whole number from 30 to 1200/],
    [withField("max_publish_rate: 0"), /max_publish_rate: must be a whole number from 1/],
    [withField(`client_id: ${"x".repeat(129)}`), /client_id: has more than 128 bytes/],
    [withField(`client_id: ${"日".repeat(43)}`), /client_id: has more than 128 bytes/],
    [withField("client_id: ''"), /client_id: is empty/],
    [withField('client_id: "a\\0"'), /client_id: has a NUL/],
    [
      withField(`client_id: ${"x".repeat(126)}\n    connections: 10`),
      "bridge.yaml:10:5 services[0].client_id: makes a client id of 129 bytes for connection 10: AWS IoT takes 128; choose a shorter one",
    ],
    [withField("result_topic: ''"), /result_topic: is empty/],
    [withField("result_topic: a/#"), /result_topic: has a # or \+/],
    [withField("result_topic: $SYS/x"), /result_topic: begins with \$: .*\$aws\/rules\/RULE/],
    [withField(`result_topic: ${"x".repeat(257)}`), /result_topic: makes a topic of 257 bytes/],
    [withField("result_topic: a/b/c/d/e/f/g/h/i"), /result_topic: makes a topic with 8 slashes/],
    [
      withField("result_topic: sakura/down/"),
      "bridge.yaml:10:5 services[0].result_topic: overlaps with the subscribe topic sakura/down: an outcome would come back as a message; choose another",
    ],
    [withField("modules: []"), /modules: is empty/],
    [
      withField("modules: [u9]"),
      "bridge.yaml:10:15 services[0].modules[0]: is not the id of a module: they are u0123456789a, u0123456789b",
    ],
    [but("name: plant-a", "name: ''"), /name: is empty/],
    // topics
    [but("sakura/up", "sakura/#"), /^bridge\.yaml:5:5 services\[0\]\.publish_prefix: has a # or \+/],
    [but("sakura/down", "sakura/down/#"), /^bridge\.yaml:6:5 services\[0\]\.subscribe_topic: has a wildcard/],
    [
      but("sakura/down", "sakura/up/"),
      /^bridge\.yaml:6:5 services\[0\]\.subscribe_topic: overlaps with the publish prefix sakura\/up/,
    ],
    [but("sakura/down", "sakura/up/down"), /subscribe_topic: overlaps .*a module "down"/],
    [
      but("sakura/up", `sakura/${"x".repeat(240)}`),
      /publish_prefix: makes a topic of 260 bytes with the module id u0123456789/,
    ],
    [
      second(
        "hostname: xxxxxxxx.iot.ap-northeast-1.amazonaws.com\npublish_prefix: sakura/down\nsubscribe_topic: b/down",
      ),
      /^bridge\.yaml:6:5 services\[0\]\.subscribe_topic: service plant-b: overlaps/,
    ],
    [
      // A name with its dot at the end is the same.
      second(
        "hostname: xxxxxxxx.iot.ap-northeast-1.amazonaws.com.\npublish_prefix: sakura/down\nsubscribe_topic: b/down",
      ),
      /^bridge\.yaml:6:5 services\[0\]\.subscribe_topic: service plant-b: overlaps/,
    ],
    [
      second("hostname: b.example\npublish_prefix: b\nsubscribe_topic: c").replace("plant-b", "plant-a"),
      "bridge.yaml:10:5 services[1].name: is the name of services[0] too: choose another",
    ],
    [
      second("hostname: h.example\npublish_prefix: b\nsubscribe_topic: c\nclient_id: x")
        .replace("    cert: cert.pem\n", "    cert: cert.pem\n    client_id: x\n")
        .replace("xxxxxxxx-ats.iot.ap-northeast-1.amazonaws.com", "H.example"),
      /services\[1\]\.client_id: is a client id of services\[0\] too/,
    ],
    [
      second(
        "hostname: xxxxxxxx.iot.ap-northeast-1.amazonaws.com\npublish_prefix: b\nsubscribe_topic: c/d\nresult_topic: sakura/down",
      ),
      /services\[1\]\.result_topic: service plant-a: overlaps with the subscribe topic sakura\/down/,
    ],
    [
      second("hostname: h.example\npublish_prefix: b\nsubscribe_topic: c\nclient_id: x-2")
        .replace("    cert: cert.pem\n", "    cert: cert.pem\n    client_id: x\n    connections: 2\n")
        .replace("xxxxxxxx-ats.iot.ap-northeast-1.amazonaws.com", "h.example"),
      /services\[1\]\.client_id: is a client id of services\[0\] too: the two would throw each other out/,
    ],
    [
      second("hostname: h.example\npublish_prefix: b\nsubscribe_topic: c\nclient_id: x\nconnections: 3")
        .replace("    cert: cert.pem\n", "    cert: cert.pem\n    client_id: x-3\n")
        .replace("xxxxxxxx-ats.iot.ap-northeast-1.amazonaws.com", "h.example"),
      /services\[1\]\.client_id: makes x-3, which is a client id of services\[0\] too/,
    ],
    // modules
    [
      but("u0123456789b", "u0123456789a"),
      "bridge.yaml:12:7 modules[1].id: is the id of modules[0] too: each has its own",
    ],
    [but("u0123456789b", "a/b"), /^bridge\.yaml:12:7 modules\[1\]\.id: a module id has no \//],
    [but("id: u0123456789b", "id: 12"), /^bridge\.yaml:12:7 modules\[1\]\.id: must be text/],
    [but("link: emulated", "link: emulate"), "bridge.yaml:11:25 modules[0].link: must be emulated, module or tap"],
    [but("link: emulated, ", ""), /modules\[0\]\.link: must be emulated, module or tap/],
    [
      but('link: module, port: "uart:/dev/ttyUSB1"', "link: tap, mcu: pty, module: i2c:/dev/i2c-1"),
      'bridge.yaml:12:46 modules[1].module: a tap\'s module is on a UART, uart:/dev/ttyUSB0 or tcp:HOST:PORT, not "i2c:/dev/i2c-1"',
    ],
    [
      but('link: module, port: "uart:/dev/ttyUSB1"', "link: tap, mcu: ttyUSB0, module: uart:/dev/ttyUSB1"),
      /^bridge\.yaml:12:36 modules\[1\]\.mcu: an endpoint is pty/,
    ],
    [
      but('link: module, port: "uart:/dev/ttyUSB1"', "link: tap, module: x"),
      /modules\[1\]\.mcu: is missing: where the MCU is/,
    ],
    [
      but('link: module, port: "uart:/dev/ttyUSB1"', "link: tap, mcu: pty"),
      /modules\[1\]\.module: is missing: where the module is/,
    ],
    [but('"uart:/dev/ttyUSB1"', '"uart:/dev/ttyUSB1", mirror: 1'), /modules\[1\]\.mirror: must be true or false/],
    [
      but('"uart:/dev/ttyUSB1"', '"uart:/dev/ttyUSB1", poll_ms: 9'),
      /modules\[1\]\.poll_ms: must be a whole number from 10 to 3600000/,
    ],
    [but("uart: pty", "bus_pirate: ttyUSB0"), /^bridge\.yaml:11:41 modules\[0\]\.bus_pirate: an endpoint is pty/],
    [but("uart: pty", 'bus_pirate: ""'), "bridge.yaml:11:41 modules[0].bus_pirate: is empty"],
    [
      but(", uart: pty", ""),
      /^bridge\.yaml:11:5 modules\[0\]\.uart: is missing: where the MCU is: "pty:\/run\/sakura", .*; or bus_pirate/,
    ],
    [but("uart: pty", "uart: ttyUSB0"), /^bridge\.yaml:11:41 modules\[0\]\.uart: an endpoint is pty/],
    [but("uart: pty", "uart: pty, tx_queue: 256"), /modules\[0\]\.tx_queue: must be a whole number from 1 to 255/],
    [
      but("uart:/dev/ttyUSB1", "/dev/ttyUSB1"),
      /^bridge\.yaml:12:39 modules\[1\]\.port: a port is .* did you mean uart:\/dev\/ttyUSB1/,
    ],
    [
      but("uart:/dev/ttyUSB1", "uart:usb:403:6001"),
      /^bridge\.yaml:12:39 modules\[1\]\.port: a USB vendor id is 4 hexadecimal digits, such as 0403, not "403"/,
    ],
    [
      but("uart: pty", "uart: uart:usb:0403:6001"),
      /modules\[0\]\.uart: an endpoint is .*; did you mean usb:0403:6001\?/,
    ],
    [
      but("uart: pty", "uart: /dev/ttyUSB1:9600"),
      "bridge.yaml:12:39 modules[1].port: is the port of modules[0].uart too: each line has its own",
    ],
    [
      but("uart: pty", "uart: pty, bus_pirate: usb:0403:6001:A5").replace("uart:/dev/ttyUSB1", "uart:usb:0403:6001"),
      "bridge.yaml:12:39 modules[1].port: fits the adapter of modules[0].bus_pirate too: name both with their serial numbers",
    ],
    [
      but('link: module, port: "uart:/dev/ttyUSB1"', "link: tap, mcu: usb:0403:6001:A5, module: uart:usb:0403:6001:A5"),
      "bridge.yaml:12:59 modules[1].module: is the port of modules[1].mcu too: each line has its own",
    ],
    // outbox
    [
      `${GOOD}outbox: { max_bytes: 1KiB }`,
      "bridge.yaml:13:11 outbox.max_bytes: must be a size from 64KiB to 1024GiB, such as 256MiB",
    ],
    [`${GOOD}outbox: { max_bytes: 256MB }`, /max_bytes: must be a size/],
    [
      `${GOOD}outbox: { max_age: 30s }`,
      "bridge.yaml:13:11 outbox.max_age: must be a time from 60s to 3650d, such as 7d",
    ],
    [`${GOOD}outbox: { max_age: 7 }`, "bridge.yaml:13:11 outbox.max_age: must be a time such as 30s, 10m, 12h or 7d"],
    [`${GOOD}outbox: { max_age: 3651d }`, /outbox\.max_age: must be a time from 60s to 3650d/],
    [`${GOOD}outbox: { when_full: stop }`, "bridge.yaml:13:11 outbox.when_full: must be refuse or drop-oldest"],
    // downlinks
    [
      `${GOOD}downlinks: { max_waiting: -1 }`,
      "bridge.yaml:13:14 downlinks.max_waiting: must be a whole number from 0 to 10000",
    ],
    [`${GOOD}downlinks: { max_waiting: 10001 }`, /max_waiting: must be a whole number from 0 to 10000/],
    [
      `${GOOD}downlinks: { max_age: 0s }`,
      "bridge.yaml:13:14 downlinks.max_age: must be a time from 1s to 3650d, such as 7d",
    ],
    [
      `${GOOD}downlinks: { age: 1s }`,
      /downlinks\.age: is not a key that is known here: the keys are max_waiting, max_age/,
    ],
    [`${GOOD}downlinks: 5`, /^bridge\.yaml:13:1 downlinks: must be a mapping/],
    [`${GOOD}outbox: ./outbox`, /^bridge\.yaml:13:1 outbox: must be a mapping/],
    // YAML
    ["services:\n\t- name: x", /^bridge\.yaml:2:1: a tab stands where spaces must/],
    ['services: "x\n', "bridge.yaml:2:1: a character is missing: a closing quote or bracket, or a colon or comma"],
    ["services:\n  - a: 1\n b: 2\n", /^bridge\.yaml:3:1: the indentation/],
    ["a: b: c\n", /^bridge\.yaml:1:\d: a mapping stands inside a line/],
    ["a: &x [*y]\n", /^bridge\.yaml:1:8: an alias/],
    ["a: 1\na: 2\n", "bridge.yaml:2:1: a key stands twice in one mapping: leave one out"],
    ["a: 1\n---\nb: 2\n", /^bridge\.yaml:\d:1: a second document begins/],
    ["a: *x\n", /^bridge\.yaml:1:4: an alias/],
    ["a: !secret x\n", /^bridge\.yaml:1:4: a tag/],
  ])("%# is told with its place and what to do", (text, message) => {
    const problem = problemOf(text);
    if (typeof message === "string") expect(problem.message).toBe(message);
    else expect(problem.message).toMatch(message);
  });

  it("may be the file itself", () => {
    const directory = workplace();
    const messageOf = (file: string): string => {
      try {
        loadConfig(file);
        return "";
      } catch (error) {
        return isSakuraError(error, "INVALID_CONFIG") ? error.message : String(error);
      }
    };
    expect(messageOf(join(directory, "no.yaml"))).toMatch(/no\.yaml is not there: check the path/);
    expect(messageOf(directory)).toMatch(/is not a file$/);
  });
});

describe("client ids", () => {
  it("are made once, kept in the outbox's directory for the user alone, and the same ever after", () => {
    const directory = workplace();
    const text = second("hostname: b.example\npublish_prefix: b\nsubscribe_topic: c\nclient_id: named");
    const config = parseConfig(text, { name: "bridge.yaml", directory });
    const [first, named] = withClientIds(config).map(({ clientId }) => clientId);
    expect(first).toMatch(/^sakuraio-[0-9a-f]{16}$/);
    expect(named).toBe("named");
    const file = join(directory, "outbox", "client-ids.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ "plant-a": first });
    if (process.platform !== "win32") {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(join(directory, "outbox")).mode & 0o777).toBe(0o700);
    }
    expect(withClientIds(config)[0]?.clientId).toBe(first);
    const renamed = parseConfig(text.replace("plant-a", "plant-c"), { name: "bridge.yaml", directory });
    expect(withClientIds(renamed)[0]?.clientId).not.toBe(first);
    expect(withClientIds(config)[0]?.clientId).toBe(first);
  });

  it("need no directory when every service has its own", () => {
    const directory = workplace();
    const config = parseConfig(withField("client_id: mine"), { name: "bridge.yaml", directory });
    expect(withClientIds(config)[0]?.clientId).toBe("mine");
    expect(() => statSync(join(directory, "outbox"))).toThrow();
  });

  it("that cannot be kept stop the start", () => {
    const directory = workplace();
    const config = parseConfig(GOOD, { name: "bridge.yaml", directory });
    writeFileSync(join(directory, "outbox"), "a file");
    expect(() => withClientIds(config)).toThrow(
      /^bridge\.yaml:1:1 outbox\.path: the services' client ids cannot be kept/,
    );
    rmSync(join(directory, "outbox"));
    mkdirSync(join(directory, "outbox"));
    writeFileSync(join(directory, "outbox", "client-ids.json"), "[1]");
    expect(() => withClientIds(config)).toThrow(/is no list of client ids; move it away/);
  });
});

describe("a certificate or key that does not do", () => {
  /** What is said when one of the three files is something else. */
  function withFile(name: "root.pem" | "cert.pem" | "key.pem", content: string): string {
    const directory = workplace();
    writeFileSync(join(directory, name), content);
    return problemOf(GOOD, directory).message;
  }
  const field = { "root.pem": "rootca_cert", "cert.pem": "cert", "key.pem": "private_key" } as const;
  const line = { "root.pem": 7, "cert.pem": 8, "key.pem": 9 } as const;

  it.each([
    ["root.pem", identity.certificate, /is the same certificate as cert: for AWS IoT it must be Amazon Root CA 1/],
    ["root.pem", identity.privateKey, /root\.pem is a private key, not a certificate/],
    ["root.pem", "", /root\.pem has no PEM certificate/],
    [
      "cert.pem",
      identity.privateKey,
      /cert\.pem is a private key, not a certificate: are cert and private_key exchanged/,
    ],
    [
      "cert.pem",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      /cert\.pem has a damaged certificate/,
    ],
    [
      "cert.pem",
      "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
      /is a certificate request/,
    ],
    [
      "cert.pem",
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
      /cert\.pem is a public key, not a certificate/,
    ],
    ["cert.pem", "0\u0082\u0003", /openssl x509 -inform der/],
    ["key.pem", identity.certificate, /key\.pem is a certificate, not a private key/],
    [
      "key.pem",
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
      /key\.pem is a public key: take the private one/,
    ],
    ["key.pem", "nothing", /key\.pem has no PEM private key/],
    ["key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", /key\.pem has a damaged private key/],
    [
      "key.pem",
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
      /openssl pkey -in FILE/,
    ],
    [
      "key.pem",
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
      /is encrypted with a passphrase/,
    ],
  ] as const)("%s as in case %# is told with what it is", (name, content, words) => {
    const message = withFile(name, content);
    expect(message).toMatch(words);
    expect(message.startsWith(`bridge.yaml:${line[name]}:5 services[0].${field[name]}: `)).toBe(true);
  });

  it("may be the key of another certificate", async () => {
    const other = await authority.issueClient("another");
    expect(withFile("key.pem", other.privateKey)).toBe(
      "bridge.yaml:9:5 services[0].private_key: does not belong to cert: take the key that was downloaded together with that certificate",
    );
  });

  it("is found in a file that holds both, and in a chain the first counts", () => {
    const directory = workplace();
    const both = `${identity.privateKey}\n${identity.certificate}\n${authority.certificate}`;
    writeFileSync(join(directory, "cert.pem"), both);
    writeFileSync(join(directory, "key.pem"), both);
    const { services } = parseConfig(GOOD, { name: "bridge.yaml", directory });
    expect(services[0]?.credentials.certificateChain.match(/BEGIN/g)).toHaveLength(2);
    expect(services[0]?.credentials.certificateChain).not.toContain("PRIVATE");
  });

  it("may not be there, or not readable", () => {
    expect(problemOf(but("key.pem", "keys/no.pem")).message).toBe(
      "bridge.yaml:9:5 services[0].private_key: keys/no.pem is not there: check the path, which is relative to the configuration file",
    );
    expect(problemOf(but("key.pem", ".")).message).toMatch(/is a directory/);
    if (process.getuid?.() === 0 || process.platform === "win32") return;
    const directory = workplace();
    chmodSync(join(directory, "key.pem"), 0);
    expect(problemOf(GOOD, directory).message).toMatch(/may not be read: give this user permission/);
  });
});

describe("key material", () => {
  const body = identity.privateKey.split("\n").filter((each) => each !== "" && !each.startsWith("-----"));
  const pem = identity.privateKey.trimEnd();

  it.each([
    ["not indented", but("key.pem", `|\n${pem}`)],
    ["without a |", but("key.pem", `\n${pem.replaceAll(/^/gm, "      ")}`)],
    ["on one line", but("key.pem", `"${pem.replaceAll("\n", "\\n")}x"`).replace("cert.pem", "root.pem")],
    ["without its BEGIN", but("key.pem", body.join(""))],
    ["without its BEGIN, on lines", but("key.pem", `|\n${body.map((each) => `      ${each}`).join("\n")}`)],
    ["as the certificate", but("cert.pem", `|\n${pem.replaceAll(/^/gm, "      ")}`)],
    ["as the host's name", but("xxxxxxxx-ats.iot.ap-northeast-1.amazonaws.com", `"${body.join("")}"`)],
    ["as a key", but("private_key: key.pem", `${body[0]}: 1`)],
    ["as a name", withField(`port: ${body[0]}`)],
    [
      "damaged",
      but("key.pem", `|\n${pem.replace(body[0] ?? "", (body[0] ?? "").slice(1)).replaceAll(/^/gm, "      ")}`),
    ],
    ["as an alias", but("key.pem", `*${body[0]}`)],
    ["as a tag", but("key.pem", `!${body[0]} x`)],
  ])("%s is never in the message", (_how, text) => {
    const problem = problemOf(text);
    const everything = `${problem.message} ${problem.stack} ${JSON.stringify(problem.context)} ${String(problem.cause)}`;
    for (const piece of body) {
      for (let at = 0; at + 12 <= piece.length; at += 4) expect(everything).not.toContain(piece.slice(at, at + 12));
    }
  });
});
