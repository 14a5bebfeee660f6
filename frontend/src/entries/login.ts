import "../common/frame";
import { byId } from "../common/dom";

// A demo's accounts fill in their name; the password is still typed.
for (const button of document.querySelectorAll<HTMLElement>("[data-username]")) {
  button.addEventListener("click", () => {
    byId<HTMLInputElement>("id_username").value = button.dataset["username"] ?? "";
    byId("id_password").focus();
  });
}
