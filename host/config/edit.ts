/** Services put into, changed in and taken out of the text of a bridge's file. */
import { isDeepStrictEqual } from "node:util";
import { isMap, isSeq, parseDocument } from "yaml";
import { SakuraError } from "../../protocol/errors.ts";
import { type ServiceInput, serviceFields } from "./schema.ts";
import { parseYaml } from "./yaml.ts";
import { type Plain, UnusualLayout, YamlSplicer } from "./yaml-splice.ts";

/** A field that is undefined goes back to its default: it is taken out. */
export type ServiceChanges = { readonly [K in keyof ServiceInput]?: ServiceInput[K] | undefined };

export type ServiceEdit =
  | { readonly how: "create"; readonly fields: ServiceChanges }
  | { readonly how: "edit"; readonly name: string; readonly changes: ServiceChanges }
  | { readonly how: "remove"; readonly name: string };

/**
 * The text with the change, every other byte as it was; where the layout is too unusual for that, written out anew by
 * the YAML library, which keeps comments, order and quoting. Either way it is read back and compared.
 * @param name the file's, for messages
 * @throws SakuraError INVALID_CONFIG when the text is no YAML or has no list of services, or says it in a way that no
 *   program should change; INVALID_ARGUMENT when there is no such service
 */
export function editServices(text: string, edit: ServiceEdit, name: string): string {
  const { data } = parseYaml(text, name);
  const services = servicesOf(data, name);
  const index = edit.how === "create" ? services.length : services.findIndex((one) => nameOf(one) === edit.name);
  if (index === -1 && edit.how !== "create") {
    throw new SakuraError("INVALID_ARGUMENT", `there is no service ${edit.name} in ${name}`);
  }
  const wanted = { ...asRecord(data), services: withEdit(services, edit, index) };
  for (const write of [spliced, rewritten]) {
    const result = attempt(() => write(text, edit, index));
    if (
      result !== undefined &&
      isDeepStrictEqual(
        attempt(() => parseYaml(result, name).data),
        wanted,
      )
    )
      return result;
  }
  const message = `${name}: its services are written in a way that cannot be changed here: change it by hand, and reload`;
  throw new SakuraError("INVALID_CONFIG", message);
}

function servicesOf(data: unknown, name: string): readonly unknown[] {
  const services = asRecord(data)["services"];
  if (Array.isArray(services)) return services;
  throw new SakuraError("INVALID_CONFIG", `${name}: services: is no list: change it by hand, and reload`);
}

function withEdit(services: readonly unknown[], edit: ServiceEdit, index: number): readonly unknown[] {
  if (edit.how === "remove") return services.toSpliced(index, 1);
  const fields = new Map<string, unknown>(Object.entries(asRecord(services[index])));
  for (const [key, value] of fieldsOf(edit)) {
    if (value === undefined) fields.delete(key);
    else fields.set(key, value);
  }
  return services.toSpliced(index, 1, Object.fromEntries(fields));
}

function spliced(text: string, edit: ServiceEdit, index: number): string {
  const document = parseDocument(text, { stringKeys: true });
  const services = document.get("services", true);
  if (!isSeq(services)) throw new UnusualLayout();
  const splicer = new YamlSplicer(text, document);
  if (edit.how === "create") splicer.addItem(services, present(fieldsOf(edit)));
  else if (edit.how === "remove") splicer.removeItem(services, index);
  else {
    const service = services.items[index];
    if (!isMap(service)) throw new UnusualLayout();
    splicer.setFields(service, fieldsOf(edit));
  }
  return splicer.result();
}

function rewritten(text: string, edit: ServiceEdit, index: number): string {
  const document = parseDocument(text, { stringKeys: true });
  const path = ["services", index];
  if (edit.how === "remove") document.deleteIn(path);
  else if (edit.how === "create") document.addIn(["services"], Object.fromEntries(present(fieldsOf(edit))));
  else {
    for (const [key, value] of fieldsOf(edit)) {
      if (value === undefined) document.deleteIn([...path, key]);
      else document.setIn([...path, key], document.createNode(value));
    }
  }
  return document.toString({ lineWidth: 0 });
}

function fieldsOf(edit: ServiceEdit): readonly (readonly [string, Plain | undefined])[] {
  if (edit.how === "remove") return [];
  if (edit.how === "edit") return Object.entries(edit.changes);
  const place = (field: string): number => (serviceFields.indexOf(field) + serviceFields.length) % serviceFields.length;
  return Object.entries(edit.fields).sort(([a], [b]) => place(a) - place(b));
}

function present(fields: readonly (readonly [string, Plain | undefined])[]): readonly (readonly [string, Plain])[] {
  return fields.flatMap(([key, value]): [string, Plain][] => (value === undefined ? [] : [[key, value]]));
}

/** Nothing where it did not work: the library, too, throws at layouts that it cannot change. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function nameOf(service: unknown): unknown {
  return asRecord(service)["name"];
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
