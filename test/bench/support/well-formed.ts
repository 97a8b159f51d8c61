/** What is wrong with a text that should be XML with one root element, or null. As strict as XML about what the report uses of it. */
export function xmlFault(text: string): string | null {
  const open: string[] = [];
  let isRootDone = false;
  let at = 0;
  for (const match of text.matchAll(/<[^>]*>/g)) {
    const between = text.slice(at, match.index);
    at = match.index + match[0].length;
    const fault = textFault(between, open.length > 0) ?? tagFault(match[0]);
    if (fault !== null) return fault;
    const name = /^<\/?([^\s/>]+)/.exec(match[0])?.[1] ?? "";
    if (match[0].startsWith("</")) {
      const expected = open.pop();
      if (expected !== name) return `</${name}> where <${expected ?? "nothing"}> is open`;
    } else {
      if (open.length === 0 && isRootDone) return `a second root, <${name}>`;
      if (!match[0].endsWith("/>")) open.push(name);
    }
    isRootDone ||= open.length === 0;
  }
  if (open.length > 0) return `<${open.at(-1)}> is left open`;
  return isRootDone ? textFault(text.slice(at), false) : "no element";
}

const REFERENCE = /&(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);/g;
// oxlint-disable-next-line no-control-regex -- XML has none of them
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

function textFault(text: string, isInside: boolean): string | null {
  if (!isInside && text.trim() !== "") return `text outside the root: ${text.trim().slice(0, 40)}`;
  if (CONTROL.test(text)) return `a control character in ${JSON.stringify(text.slice(0, 40))}`;
  const rest = text.replaceAll(REFERENCE, "");
  return /[<>&]/.test(rest) ? `not escaped: ${rest.slice(0, 60)}` : null;
}

const TAG = /^<([A-Za-z][\w:.-]*)((?:\s+[A-Za-z_][\w:.-]*="[^"<]*")*)\s*\/?>$/;
const END_TAG = /^<\/[A-Za-z][\w:.-]*>$/;

function tagFault(tag: string): string | null {
  if (END_TAG.test(tag)) return null;
  const match = TAG.exec(tag);
  if (match === null) return `no tag: ${tag.slice(0, 80)}`;
  const attributes = match[2] ?? "";
  const names = Array.from(attributes.matchAll(/\s([^\s=]+)="/g), ([, name]) => name);
  if (new Set(names).size !== names.length) return `an attribute twice: ${tag.slice(0, 80)}`;
  for (const [, value = ""] of attributes.matchAll(/="([^"]*)"/g)) {
    if (CONTROL.test(value) || /[<&]/.test(value.replaceAll(REFERENCE, ""))) {
      return `not escaped: ${tag.slice(0, 80)}`;
    }
  }
  return null;
}
