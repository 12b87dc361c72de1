// What the theme leaves open.
document.addEventListener("DOMContentLoaded", () => {
  // Its buttons that open a list of pages have a picture and no name.
  for (const button of document.querySelectorAll("nav summary:not([aria-label])")) {
    button.setAttribute("aria-label", "Show or hide the pages below");
  }
  // On a phone the words of a wide diagram are tiny: a click shows it alone, where it can be made larger.
  for (const picture of document.querySelectorAll("img.diagram")) {
    const link = document.createElement("a");
    link.href = picture.src;
    link.className = picture.className; // hides the one for the other colors, too
    picture.replaceWith(link);
    link.append(picture);
  }
});
