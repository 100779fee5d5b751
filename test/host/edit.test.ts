import { describe, expect, it } from "vitest";
import { editServices, type ServiceEdit } from "../../host/config/edit.ts";
import { isSakuraError } from "../../protocol/errors.ts";

const FILE = `# The plant's bridge.
services:
    # The first one.
    - name:   "plant-a"   # as in the contract
      type: aws-iot
      hostname: 'a.example'

      port: 8883 # the default
      publish_prefix: a/up
      subscribe_topic: a/down
      rootca_cert: &root certs/AmazonRootCA1.pem
      cert: |
          -----BEGIN CERTIFICATE-----
          AAAA
          -----END CERTIFICATE-----
      private_key: a.key
      modules:   # these two
        - u1
        - u2
    # The second one.
    - { name: plant-b, type: aws-iot, hostname: b.example, publish_prefix: b/up, subscribe_topic: b/down, rootca_cert: *root, cert: b.pem, private_key: b.key }

# Where the MCUs are.
modules:
- {id: u1,   link: emulated, uart: pty}
-   id: u2
    link:  emulated
    uart: "pty"
`;

const edit = (name: string, changes: (ServiceEdit & { how: "edit" })["changes"]): ServiceEdit => ({
  how: "edit",
  name,
  changes,
});

/** The file with lines replaced: what a change must give, every other byte the same. */
function fileWith(...replacements: readonly (readonly [string, string])[]): string {
  return replacements.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${from} does not stand in the file`);
    return text.replace(from, to);
  }, FILE);
}

function refusalOf(text: string, change: ServiceEdit): string {
  try {
    editServices(text, change, "bridge.yaml");
  } catch (error) {
    if (isSakuraError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error("it was changed");
}

describe("an edited service", () => {
  it.each<[string, ServiceEdit, string]>([
    ["a value", edit("plant-a", { port: 443 }), fileWith(["port: 8883 #", "port: 443 #"])],
    ["a quoted value", edit("plant-a", { name: "plant-c" }), fileWith(['"plant-a"   #', '"plant-c"   #'])],
    ["a value in single quotes", edit("plant-a", { hostname: "c.example" }), fileWith(["'a.example'", "'c.example'"])],
    [
      "what needs quotes",
      edit("plant-a", { publish_prefix: "a: [b], #c" }),
      fileWith(["publish_prefix: a/up\n", 'publish_prefix: "a: [b], #c"\n']),
    ],
    [
      "a block of text",
      edit("plant-a", { cert: "a.pem" }),
      fileWith([/cert: \|[\s\S]*?END CERTIFICATE-----/.exec(FILE)?.[0] ?? "", "cert: a.pem"]),
    ],
    [
      "a list on lines of its own",
      edit("plant-a", { modules: ["u2", "u1"] }),
      fileWith(["modules:   # these two\n        - u1\n        - u2\n", "modules: [u2, u1]\n"]),
    ],
    [
      "a list that is as it was",
      edit("plant-a", { modules: ["u1", "u2"], port: 1 }),
      fileWith(["port: 8883", "port: 1"]),
    ],
    ["a field that goes", edit("plant-a", { port: undefined }), fileWith(["      port: 8883 # the default\n", ""])],
    [
      "a last field that goes",
      edit("plant-a", { modules: undefined }),
      fileWith(["      modules:   # these two\n        - u1\n        - u2\n", ""]),
    ],
    [
      "fields that come",
      edit("plant-a", { qos: 1, client_id: "a" }),
      fileWith(["        - u2\n", "        - u2\n      qos: 1\n      client_id: a\n"]),
    ],
    [
      "in braces",
      edit("plant-b", { name: "b, too", port: 443 }),
      fileWith(["name: plant-b,", 'name: "b, too",'], ["b.key }", "b.key, port: 443 }"]),
    ],
    [
      "in braces, the first goes",
      edit("plant-b", { type: undefined }),
      fileWith([", type: aws-iot, hostname: b", ", hostname: b"]),
    ],
    ["an alias", edit("plant-b", { rootca_cert: "b.pem" }), fileWith(["*root", "b.pem"])],
    [
      "what an alias stands for elsewhere",
      edit("plant-a", { rootca_cert: "new.pem" }),
      fileWith(["&root certs/AmazonRootCA1.pem", "&root new.pem"], ["*root", "certs/AmazonRootCA1.pem"]),
    ],
  ])("has %s changed, and nothing else", (_what, change, expected) => {
    expect(editServices(FILE, change, "bridge.yaml")).toBe(expected);
  });

  it("keeps the file's ends of lines, and a last line without one", () => {
    const windows = "services:\r\n- name: a # b\r\n  port: 1\r\nmodules: []";
    expect(editServices(windows, edit("a", { qos: 1 }), "b")).toBe(
      "services:\r\n- name: a # b\r\n  port: 1\r\n  qos: 1\r\nmodules: []",
    );
    expect(editServices("modules: []\nservices:\n- name: a", edit("a", { qos: 1 }), "b")).toBe(
      "modules: []\nservices:\n- name: a\n  qos: 1\n",
    );
  });

  it("may be written in a way that has to be written anew, its comments kept", () => {
    const text = "# top\nservices:\n  -\n    # within\n    ? name\n    : a\n    port: 1 # one\nmodules: []\n";
    const changed = editServices(text, edit("a", { port: 2, name: "b" }), "b");
    expect(changed).toContain("# top\n");
    expect(changed).toContain("# within\n");
    expect(changed).toMatch(/port: 2 # one\n/);
  });

  it("may be one that is not there, or that cannot be changed", () => {
    expect(refusalOf(FILE, edit("plant-x", { port: 1 }))).toBe(
      "INVALID_ARGUMENT there is no service plant-x in bridge.yaml",
    );
    expect(refusalOf("services: {}\n", edit("a", { port: 1 }))).toMatch(
      /^INVALID_CONFIG bridge\.yaml: services: is no list/,
    );
    expect(refusalOf("a: b: c\n", edit("a", { port: 1 }))).toMatch(/^INVALID_CONFIG bridge\.yaml:1:\d: a mapping/);
  });
});

describe("a new service", () => {
  const fields = {
    private_key: "c.key",
    name: "plant c",
    type: "aws-iot",
    hostname: "c.example",
    publish_prefix: "c/up",
    subscribe_topic: "c/down",
    rootca_cert: "root.pem",
    cert: "c.pem",
    port: 443,
    modules: ["u1"],
  } as const;

  it("stands behind the last, its fields in order", () => {
    const text = "services:\n  - name: a\n    port: 1 # one\n\n# then\nmodules: []\n";
    expect(editServices(text, { how: "create", fields: { ...fields, modules: ["u1"] } }, "b")).toBe(
      `services:
  - name: a
    port: 1 # one
  - name: plant c
    type: aws-iot
    hostname: c.example
    port: 443
    publish_prefix: c/up
    subscribe_topic: c/down
    rootca_cert: root.pem
    cert: c.pem
    private_key: c.key
    modules: [u1]

# then
modules: []
`,
    );
  });

  it("stands in brackets where the others do", () => {
    expect(editServices("services: [{ name: a }] # x\n", { how: "create", fields: { name: "b", port: 1 } }, "b")).toBe(
      "services: [{ name: a }, { name: b, port: 1 }] # x\n",
    );
  });
});

describe("a removed service", () => {
  it("goes alone: comments, and what its aliases stand for, stay", () => {
    expect(editServices(FILE, { how: "remove", name: "plant-b" }, "b")).toBe(
      FILE.replace(/ {4}- \{ name: plant-b.*\n/, ""),
    );
    const first = editServices(FILE, { how: "remove", name: "plant-a" }, "b");
    expect(first).toBe(
      FILE.replace(/ {4}- name: {3}"plant-a"[\s\S]*?- u2\n/, "").replace("*root", "certs/AmazonRootCA1.pem"),
    );
  });

  it.each([
    ["services: [{ name: a }, { name: b }, { name: c }]\n", "a", "services: [{ name: b }, { name: c }]\n"],
    ["services: [{ name: a }, { name: b }, { name: c }]\n", "c", "services: [{ name: a }, { name: b }]\n"],
    ["services:\n- name: a\n- name: b", "b", "services:\n- name: a\n"],
  ])("goes from %j: %s", (text, name, expected) => {
    expect(editServices(text, { how: "remove", name }, "b")).toBe(expected);
  });
});
