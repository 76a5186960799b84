const { items } = await (await fetch("/api/items")).json();
document.querySelector("#count").textContent = `${items.length} things to buy`;
