/*
 * Characters that a terminal obeys or does not show: controls, those that turn the direction of text or join and hide others, separators of
 * lines and paragraphs, and halves of characters. A name with some of them can look like another.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const HIDDEN_BUT_LAYOUT = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const HEX_DIGITS = 4;

/** Whether a text can be told by looking at it, as far as its characters go. */
export function isVisible(text: string): boolean {
  return !HIDDEN.test(text);
}

/**
 * The text for a terminal: what cannot be seen as \u and four hexadecimal digits, which in JSON means the same; line feeds and tabs stay. A text of which all is
 * visible is returned as it is.
 */
export function makeVisible(text: string): string {
  return text.replace(HIDDEN_BUT_LAYOUT, (character) => {
    let escaped = "";
    for (let index = 0; index < character.length; index += 1) {
      escaped += `\\u${character.charCodeAt(index).toString(16).padStart(HEX_DIGITS, "0")}`;
    }
    return escaped;
  });
}
