// Where the page begins.
import { page } from "./style.js";
import "./okno-app.js";

document.adoptedStyleSheets = [page.styleSheet];
