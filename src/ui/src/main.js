import { LitElement } from "lit"; export { LitElement };
