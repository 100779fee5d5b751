/** A service written into the bridge's file, whose comments and other services stay. */
import { isCollection, isMap, isSeq, parseDocument } from "yaml";
import { SakuraError } from "../../protocol/errors.ts";
import type { ServiceInput } from "./schema.ts";

/**
 * The file's text with one more service at the end of the list.
 * @throws SakuraError INVALID_CONFIG when the text is not such a file
 */
export function addService(text: string, fields: ServiceInput): string {
  const document = parseDocument(text, { logLevel: "error", stringKeys: true });
  const services = document.get("services");
  if (document.errors.length > 0 || !isMap(document.contents) || (services != null && !isSeq(services))) {
    throw new SakuraError("INVALID_CONFIG", "the file is not a bridge's: it needs a list of services at its top");
  }
  const service = document.createNode(fields);
  if (isSeq(services)) {
    // A list that stands in brackets would take the whole service into one line.
    if (services.items.length === 0 && isCollection(services)) services.flow = false;
    services.add(service);
  } else {
    document.set("services", document.createNode([fields]));
  }
  return document.toString({ lineWidth: 0 });
}
