// The preview of the picture that was chosen. Without scripts the form works as well.
const field = document.querySelector("#picture");
if (field) {
  const preview = document.querySelector("#preview");
  const [picture, note] = preview.querySelectorAll("img, output");
  const choose = document.querySelector("label[for=picture]");
  const shows = document.querySelector(".shows");
  const most = 5_000_000;

  const show = () => {
    const file = field.files[0];
    URL.revokeObjectURL(picture.src);
    preview.hidden = shows.hidden = !file;
    choose.textContent = file ? "Choose another picture" : "Add a picture";
    field.setCustomValidity(file && file.size > most ? "The picture has more than 5 MB." : "");
    if (file) {
      picture.src = URL.createObjectURL(file);
      note.textContent = `${file.name}, ${Math.ceil(file.size / 1000).toLocaleString()} kB`;
    } else {
      picture.removeAttribute("src");
    }
    field.reportValidity();
  };

  picture.addEventListener("error", () => {
    if (field.files[0]) field.setCustomValidity("The browser cannot show this as a picture.");
    field.reportValidity();
  });
  preview.querySelector("button").addEventListener("click", () => {
    field.value = "";
    show();
    choose.focus();
  });
  field.addEventListener("change", show);
  show();
}
