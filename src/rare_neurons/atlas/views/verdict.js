atlas.view("verdict", {
  ready(slot, view) {
    view.addEventListener("click", (event, item) => {
      const { model, step } = item?.datum ?? {};
      if (model in atlas.tree.models) atlas.set({ model, step });
    });
  },
});
