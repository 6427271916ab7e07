// What all pages have: the data that the page brings, and elements made of text that is never markup.
"use strict";

const pageData = JSON.parse(document.getElementById("data").textContent);

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
