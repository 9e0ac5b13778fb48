// What npm `messaging-api-messenger` does with the simulator: one JSON object of results, or refusals as [code, subcode].
const { MessengerClient } = require("messaging-api-messenger");

const { origin, token, secret, psid, comment, stranger } = JSON.parse(process.argv[2]);
const client = new MessengerClient({ accessToken: token, appSecret: secret, version: "26.0", origin });
const picture = "https://shop.example.vn/a.jpg";
const found = {};

async function step(name, act) {
  try {
    found[name] = await act();
  } catch (error) {
    const told = error.response?.data?.error;
    if (!told) throw error;
    found[name] = [told.code, told.errorSubcode ?? told.error_subcode ?? null];
  }
}

async function play() {
  await step("page", () => client.getPageInfo());
  await step("person", () => client.getUserProfile(psid));
  await step("seen", () => client.markSeen(psid));
  await step("typing", () => client.typingOn(psid));
  await step("persona", () => client.createPersona({ name: "Thảo", profilePictureUrl: picture }));
  const personaId = found.persona.id;
  await step("personas", () => client.getAllPersonas());
  await step("named", () => client.sendText(psid, "Chào bạn", { personaId }));
  await step("no longer named", async () => {
    await client.deletePersona(personaId);
    return client.sendText(psid, "Chào", { personaId });
  });
  await step("buttons", () =>
    client.sendButtonTemplate(psid, "Mời bạn", [{ type: "web_url", title: "Xem", url: "https://shop.example.vn/" }]));
  await step("cards", () => client.sendGenericTemplate(psid, [{ title: "Áo", subtitle: "199.000 ₫", imageUrl: picture }]));
  const receipt = { recipientName: "Lan", orderNumber: "DH-1", currency: "VND", paymentMethod: "COD" };
  await step("receipt", () => client.sendReceiptTemplate(psid, { ...receipt, summary: { totalCost: 219000 } }));
  await step("kept", () => client.uploadImage(picture, { isReusable: true }));
  const { attachmentId } = found.kept;
  const buttons = [{ type: "postback", title: "Mua", payload: "BUY" }];
  await step("media", () => client.sendMediaTemplate(psid, [{ mediaType: "image", attachmentId, buttons }]));
  await step("media nobody holds", () => client.sendMediaTemplate(psid, [{ mediaType: "image", attachmentId: "1" }]));
  await step("comment", () => client.sendText({ commentId: comment }, "199.000 ₫ ạ"));
  await step("comment again", () => client.sendText({ commentId: comment }, "199.000 ₫ ạ"));
  await step("profile", async () => {
    await client.setGetStarted("GET_STARTED");
    await client.setGreeting("Xin chào!");
    await client.setPersistentMenu([{ type: "postback", title: "Điểm", payload: "kq:points" }]);
    return [await client.getGetStarted(), await client.getGreeting(), await client.getPersistentMenu()];
  });
  await step("menu without start", () => client.deleteGetStarted().then(() => client.setPersistentMenu([])));
  await step("passed", () => client.passThreadControlToPageInbox(psid, "cần người"));
  await step("owner", () => client.getThreadOwner(psid));
  await step("shut out", () => client.sendText(psid, "Alo"));
  await step("taken", () => client.takeThreadControl(psid, "xong"));
  await step("back", () => client.sendText(psid, "Mình đây ạ"));
  await step("stranger", () => client.sendText(stranger, "Alo"));
  await step("too late", () => client.sendText(psid, "Alo", { messagingType: "MESSAGE_TAG", tag: "ACCOUNT_UPDATE" }));
}

play().then(
  () => process.stdout.write(JSON.stringify(found)),
  (error) => {
    process.stderr.write(String(error.stack ?? error));
    process.exitCode = 1;
  },
);
