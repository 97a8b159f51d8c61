/** Text of which all that came from elsewhere is escaped: it is made by {@link markup} only. HTML here is written so that it is XML, too. */
export class Markup {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  static made(pieces: TemplateStringsArray, values: readonly MarkupValue[]): Markup {
    let text = pieces[0] ?? "";
    for (const [index, value] of values.entries())
      text += inText(value) + (pieces[index + 1] ?? "");
    return new Markup(text);
  }
}

/** Lists are joined, and null is nothing. */
export type MarkupValue = string | number | null | Markup | readonly MarkupValue[];

/** markup`<td>${value}</td>`: values may stand in text and between quotation marks; markup among them stays what it is. */
export function markup(pieces: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  return Markup.made(pieces, values);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What no XML can hold, not even as a reference: most control characters, halves of pairs, and two that are none. */
const NO_CHARACTER =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function inText(value: MarkupValue): string {
  if (value === null) return "";
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(inText).join("");
  return escaped(String(value as string | number));
}

function escaped(text: string): string {
  return text
    .replaceAll(NO_CHARACTER, "\ufffd")
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
