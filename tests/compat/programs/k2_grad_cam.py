# Keras 2: Grad-CAM by K.gradients and K.function, as in chapter 5 of the book on Keras, over VGG16
import numpy as np
from keras.applications.vgg16 import VGG16, preprocess_input, decode_predictions
from keras import backend as K

K.clear_session()
np.random.seed(0)
model = VGG16(weights=None, input_shape=(32, 32, 3), classes=10)
x = preprocess_input(np.random.uniform(0, 255, (1, 32, 32, 3)))
preds = model.predict(x)
best = np.argmax(preds[0])

output = model.output[:, best]
last_conv_layer = model.get_layer('block5_conv3')
grads = K.gradients(output, last_conv_layer.output)[0]
pooled_grads = K.mean(grads, axis=(0, 1, 2))
iterate = K.function([model.input], [pooled_grads, last_conv_layer.output[0]])
pooled_grads_value, conv_layer_output_value = iterate([x])
assert pooled_grads_value.shape == (512,) and conv_layer_output_value.shape == (2, 2, 512)
for i in range(512):
    conv_layer_output_value[:, :, i] *= pooled_grads_value[i]
heatmap = np.mean(conv_layer_output_value, axis=-1)
heatmap = np.maximum(heatmap, 0)
heatmap /= max(np.max(heatmap), 1e-12)
assert heatmap.shape == (2, 2) and heatmap.min() >= 0

# the gradient itself: what the layers after it say when one channel grows
from keras.models import Model
whole = K.function([last_conv_layer.output], [model.output])
before = Model(model.input, last_conv_layer.output).predict(x)
raised = before.copy()
raised[..., 3] += 0.5
lowered = before.copy()
lowered[..., 3] -= 0.5
per_pixel = K.function([model.input], [grads])([x])[0]
estimate = (whole([raised])[0] - whole([lowered])[0])[0, best]
assert abs(estimate - per_pixel[..., 3].sum()) < 0.2 * abs(estimate) + 1e-5, (estimate, per_pixel[..., 3].sum())
