/** `usb:VID:PID[:SERIAL]`: a USB serial adapter by what is burnt into it, whatever the system calls its port. Only the text. */
import { SakuraError } from "../protocol/errors.ts";

export interface UsbName {
  /** USB vendor, 4 hexadecimal digits in lower case. */
  readonly vendorId: string;
  /** USB product, 4 hexadecimal digits in lower case. */
  readonly productId: string;
  /** Not empty and without `?`; nothing stands for any, or none. */
  readonly serialNumber: string | undefined;
}

/** A serial port of this machine: by the system's name for it, or by its adapter. */
export type SerialPlace = { readonly kind: "path"; readonly path: string } | ({ readonly kind: "usb" } & UsbName);

const HEX4 = /^[0-9a-f]{4}$/i;

/**
 * @param whole what the text is a part of, for the message
 * @throws SakuraError INVALID_ARGUMENT that says what is wrong with it
 */
export function parseUsbName(text: string, whole = text): UsbName {
  const wrong = (says: string): SakuraError =>
    new SakuraError("INVALID_ARGUMENT", `${says} in "${whole}": an adapter is usb:VID:PID or usb:VID:PID:SERIAL`, {
      context: { uri: whole },
    });
  const [, vendorId = "", productId, serialNumber] = /^usb:([^:?]*)(?::([^:?]*)(?::([^?]*))?)?$/s.exec(text) ?? [];
  if (!HEX4.test(vendorId)) throw wrong(`a USB vendor id is 4 hexadecimal digits, such as 0403, not "${vendorId}"`);
  if (productId === undefined) throw wrong("the USB product id is missing");
  if (!HEX4.test(productId)) throw wrong(`a USB product id is 4 hexadecimal digits, such as 6001, not "${productId}"`);
  if (serialNumber === "") throw wrong("the serial number is missing behind the last colon: add it, or leave both out");
  return { vendorId: vendorId.toLowerCase(), productId: productId.toLowerCase(), serialNumber };
}

/** The name again, in the form that `parseUsbName` reads. */
export function usbNameText({ vendorId, productId, serialNumber }: UsbName): string {
  return `usb:${vendorId}:${productId}${serialNumber === undefined ? "" : `:${serialNumber}`}`;
}

/** @throws SakuraError INVALID_ARGUMENT for a `usb:` name that is none; any other text is a path */
export function parseSerialPlace(text: string, whole: string): SerialPlace {
  return text.startsWith("usb:") ? { kind: "usb", ...parseUsbName(text, whole) } : { kind: "path", path: text };
}

export function serialPlaceText(place: SerialPlace): string {
  return place.kind === "usb" ? usbNameText(place) : place.path;
}
