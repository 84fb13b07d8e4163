// What the page uses of Lit; tools/build-lit bundles it into lit.js.
export * from "lit";
export { keyed } from "lit/directives/keyed.js";
