{
  # A bridge for tools that only know node-gyp, in a checkout: the build is CMake's.
  "targets": [{
    "target_name": "gemmine",
    "type": "none",
    "actions": [{
      "action_name": "cmake_js",
      "inputs": ["CMakeLists.txt"],
      "outputs": ["<(PRODUCT_DIR)/gemmine.node"],
      "action": ["node", "scripts/native.cjs", "build", "--into", "<(PRODUCT_DIR)"]
    }]
  }]
}
