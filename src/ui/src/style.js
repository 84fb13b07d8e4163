// The look that every element shares: tokens on :root (page), then controls. All sizes are rem so
// that one rule scales the page on very large screens; .5rem is the step of the grid.
import { css } from "lit";

export const page = css`
  :root {
    color-scheme: light dark;
    --ground: #f4f6f8; --surface: #ffffff; --sunken: #eceff3; --line: #dbe1e7;
    --text: #18212b; --muted: #566473; --accent: #1f5fbf; --accent-soft: #e3edfb;
    --on-accent: #ffffff;
    --valid: #14713f; --valid-soft: #e1f3e8; --invalid: #b3261e; --invalid-soft: #fbe6e4;
    --amber: #8a5a00; --amber-soft: #fbf0d9; --shadow: 0 .25rem 1.5rem rgb(20 30 45 / .16);
    font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --ground: #0f1317; --surface: #171c22; --sunken: #1f262e; --line: #2c353f;
      --text: #e4e9ee; --muted: #98a5b3; --accent: #7db2f7; --accent-soft: #1d2f47;
      --on-accent: #0c1a2b;
      --valid: #6ccf94; --valid-soft: #15301f; --invalid: #f58f86; --invalid-soft: #3b1b19;
      --amber: #e6b450; --amber-soft: #372a10; --shadow: 0 .25rem 1.5rem rgb(0 0 0 / .5);
    }
  }
  @media (min-width: 2400px) { :root { font-size: 20px; } }
  @media (min-width: 3400px) { :root { font-size: 27px; } }
  * { box-sizing: border-box; }
  html, body { margin: 0; min-height: 100%; background: var(--ground); color: var(--text); }
`;

export const shared = css`
  *, *::before, *::after { box-sizing: border-box; }
  :host { display: block; font-size: .875rem; line-height: 1.45; color: var(--text); }
  :host([hidden]), [hidden] { display: none !important; }
  h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
  h1 { font-size: 1.25rem; line-height: 1.3; font-weight: 600; }
  h2 { font-size: 1rem; font-weight: 600; }
  h3 { font-size: .75rem; font-weight: 600; color: var(--muted); }
  ul, ol { list-style: none; }
  a { color: var(--accent); text-decoration: none; }
  a:hover { text-decoration: underline; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  .muted { color: var(--muted); }
  .num { font-variant-numeric: tabular-nums; }
  .nowrap { white-space: nowrap; }
  button, .button {
    font: inherit; font-weight: 500; color: var(--text); background: var(--surface);
    border: 1px solid var(--line); border-radius: .375rem; min-height: 2rem; padding: .25rem .75rem;
    display: inline-flex; align-items: center; justify-content: center; gap: .5rem; cursor: pointer;
  }
  button:hover:not(:disabled) { border-color: var(--muted); }
  button:disabled { opacity: .5; cursor: default; }
  button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
  button.quiet { border-color: transparent; background: transparent; color: var(--muted); padding: .25rem .5rem; }
  button.quiet:hover:not(:disabled) { color: var(--text); border-color: var(--line); }
  input, select, textarea {
    font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--line);
    border-radius: .375rem; min-height: 2rem; padding: .25rem .5rem; max-width: 100%;
  }
  textarea { resize: vertical; }
  input[type="checkbox"] { min-height: 0; accent-color: var(--accent); width: 1rem; height: 1rem; margin: 0; }
  label { color: var(--muted); }
  kbd {
    font: inherit; font-size: .6875rem; font-weight: 600; line-height: 1; min-width: 1.25rem; text-align: center;
    padding: .1875rem .3125rem; border: 1px solid currentColor; border-radius: .25rem; opacity: .72;
  }
  .card { background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; }
  .skeleton { background: var(--sunken); border-radius: .25rem; }
  .visually-hidden {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
  }
`;
